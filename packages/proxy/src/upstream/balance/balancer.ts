import type { Balance } from '@havn/model'
import type { RequestTarget } from '@havn/http'
import { createHash } from './consistent-hash.ts'
import { createLeastConnections } from './least-connections.ts'
import { createRoundRobin } from './round-robin.ts'
import { createSticky } from './sticky-cookie.ts'

/** A server as balancers see it. */
export interface Candidate {
  /** Tells it from the others, in every thread and after every restart; says nothing of its address. */
  readonly id: string
  /** Above 0; less than it was written for a server that has just come. */
  readonly weight: number
  /** Requests and tunnels that it has now. */
  readonly load: number
}

export interface Balancer {
  /** @param candidates the servers that may have the request, at least one; not kept. */
  pick<Server extends Candidate>(candidates: readonly Server[], target: RequestTarget): Server
  /** The `Set-Cookie` by which the client comes back to this server; null when it has it, or needs none. */
  cookieFor(candidate: Candidate, target: RequestTarget): string | null
}

export function createBalancer(balance: Balance): Balancer {
  if (balance.type === 'hash') return createHash(balance.key)
  if (balance.type === 'least-connections') return createLeastConnections()
  if (balance.type === 'sticky') return createSticky(balance.cookie)
  return createRoundRobin()
}
