import type { Balancer, Candidate } from './balancer.ts'

/**
 * Smooth weighted round robin, as nginx does it: every server earns its weight in each round, the richest is picked and
 * pays for all. Heavy servers take their turns in between the others, not in one go.
 */
export function createRoundRobin(): Balancer {
  const earned = new WeakMap<Candidate, number>()
  return {
    pick(candidates) {
      let best = candidates[0]!
      let most = -Infinity
      let total = 0
      for (const candidate of candidates) {
        const has = (earned.get(candidate) ?? 0) + candidate.weight
        earned.set(candidate, has)
        total += candidate.weight
        if (has <= most) continue
        best = candidate
        most = has
      }
      earned.set(best, most - total)
      return best
    },
    cookieFor: () => null,
  }
}
