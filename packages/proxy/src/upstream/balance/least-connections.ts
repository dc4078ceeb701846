import type { Balancer } from './balancer.ts'

/** The server with the least load for its weight. Equals take turns: an idle group is not all on its first server. */
export function createLeastConnections(): Balancer {
  let turn = 0
  return {
    pick(candidates) {
      const { length } = candidates
      turn = (turn + 1) % length
      let best = candidates[turn]!
      for (let n = 1; n < length; n++) {
        const other = candidates[(turn + n) % length]!
        // With the request that is to come: a heavy server is preferred while all are idle.
        if ((other.load + 1) / other.weight < (best.load + 1) / best.weight) best = other
      }
      return best
    },
    cookieFor: () => null,
  }
}
