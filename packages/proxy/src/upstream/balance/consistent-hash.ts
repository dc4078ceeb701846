import type { RequestTarget } from '@havn/http'
import type { Balance } from '@havn/model'
import { readCookie } from '../cookie.ts'
import type { Balancer, Candidate } from './balancer.ts'

type HashKey = (Balance & { type: 'hash' })['key']

/**
 * Weighted rendezvous hashing: each server draws a number for the key, and the best one has it. All threads agree
 * without a word, and a server that leaves moves its own keys only.
 */
export function createHash(key: HashKey): Balancer {
  const seeds = new WeakMap<Candidate, number>()
  const seedOf = (candidate: Candidate): number => {
    const known = seeds.get(candidate)
    if (known !== undefined) return known
    const seed = hash32(candidate.id)
    seeds.set(candidate, seed)
    return seed
  }
  return {
    pick(candidates, target) {
      const hash = hash32(keyOf(key, target))
      let best = candidates[0]!
      let least = Infinity
      for (const candidate of candidates) {
        const share = (mix(hash ^ seedOf(candidate)) + 0.5) / 2 ** 32
        const score = -Math.log(share) / candidate.weight
        if (score >= least) continue
        best = candidate
        least = score
      }
      return best
    },
    cookieFor: () => null,
  }
}

function keyOf(key: HashKey, target: RequestTarget): string {
  if (key === 'path') return target.path
  if (key === 'client') return target.clientAddress
  const value = 'cookie' in key ? readCookie(target, key.cookie) : headerOf(target, key.header)
  return value ?? target.clientAddress
}

function headerOf({ headers }: RequestTarget, wanted: string): string | null {
  const name = wanted.toLowerCase()
  for (let n = 0; n < headers.length; n += 2) if (headers[n]!.toLowerCase() === name) return headers[n + 1]!
  return null
}

/** FNV-1a, its bits mixed. */
function hash32(text: string): number {
  let hash = 0x811c9dc5
  for (let n = 0; n < text.length; n++) hash = Math.imul(hash ^ text.charCodeAt(n), 0x01000193)
  return mix(hash)
}

/** MurmurHash3's finalizer: each bit of the input changes half of those of the output. */
function mix(hash: number): number {
  let mixed = hash ^ (hash >>> 16)
  mixed = Math.imul(mixed, 0x85ebca6b)
  mixed ^= mixed >>> 13
  mixed = Math.imul(mixed, 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}
