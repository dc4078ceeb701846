import type { Candidate } from './balance/balancer.ts'
import type { UpstreamServer } from './upstream-server.ts'

/** A slow start begins with this part of the weight: with none, no request would ever come. */
const FIRST_SHARE = 0.05

/** A server's place in one configuration of its group. */
export class GroupMember implements Candidate {
  readonly server: UpstreamServer
  readonly #weight: number
  readonly #slowStartMs: number

  constructor(server: UpstreamServer, weight: number, slowStartMs: number) {
    this.server = server
    this.#weight = weight
    this.#slowStartMs = slowStartMs
  }

  get id(): string {
    return this.server.id
  }

  get load(): number {
    return this.server.load
  }

  /** Its weight grows yet. */
  get isStarting(): boolean {
    return performance.now() - this.server.startedAt < this.#slowStartMs
  }

  /** Grows from a small part of it to all of it while the server is new. */
  get weight(): number {
    if (this.#slowStartMs === 0) return this.#weight
    const share = (performance.now() - this.server.startedAt) / this.#slowStartMs
    return this.#weight * Math.min(1, Math.max(FIRST_SHARE, share))
  }
}
