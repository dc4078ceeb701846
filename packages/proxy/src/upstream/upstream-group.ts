import type { EdgeContext, PluginLogger } from '@havn/plugin-api'
import { serversOf } from '@havn/model'
import type { Upstream } from '@havn/model'
import { createBalancer } from './balance/balancer.ts'
import type { Balancer } from './balance/balancer.ts'
import type { TlsMaterial } from './client/tls-material.ts'
import { findTlsProblem } from './client/tls-problem.ts'
import { errorCode } from './error-code.ts'
import { toFailure } from './failure.ts'
import type { Failure } from './failure.ts'
import { GroupMember } from './group-member.ts'
import { HealthCheck } from './health-check.ts'
import { HoldLine } from './hold-line.ts'
import type { Passage } from './passage.ts'
import { RetryBudget } from './retry-budget.ts'
import { UpstreamServer } from './upstream-server.ts'

export interface UpstreamGroupOptions {
  name: string
  config: Upstream
  /** For its servers that speak TLS; null where there is none. */
  tls: TlsMaterial | null
  context: EdgeContext
  /** The group that this one takes the place of: servers that are in both live on. */
  previous: UpstreamGroup | undefined
}

/** The servers of one upstream in one thread: which of them gets a request, and what happens when one fails. */
export class UpstreamGroup {
  readonly name: string
  readonly config: Upstream
  readonly tls: TlsMaterial | null
  readonly logger: PluginLogger
  readonly #context: EdgeContext
  readonly #members: readonly GroupMember[]
  /** The server that is not chosen among others, and therefore never left out. */
  readonly #only: UpstreamServer | null
  readonly #balancer: Balancer
  readonly #budget: RetryBudget
  readonly #line: HoldLine<Passage>
  /** Filled anew for each choice. */
  readonly #candidates: GroupMember[] = []
  readonly #idle = new Set<() => void>()
  #checks: HealthCheck[] = []
  #inFlight = 0
  #successor: UpstreamGroup | null = null

  constructor({ name, config, tls, context, previous }: UpstreamGroupOptions) {
    this.name = name
    this.config = config
    this.tls = tls
    this.logger = context.logger
    this.#context = context
    this.#members = toMembers(config, tls, previous ? previous.#members : [])
    const isAlone = this.#members.length === 1 && config.health === undefined
    this.#only = isAlone ? this.#members[0]!.server : null
    this.#balancer = createBalancer(config.balance)
    this.#budget = new RetryBudget(config.retry)
    this.#line = new HoldLine<Passage>({
      limit: config.holdLimit,
      onTry: (passage) => this.dispatch(passage, true),
      onExpired: (passage) => passage.refuse(this.#unavailable()),
    })
  }

  get members(): readonly GroupMember[] {
    return this.#members
  }

  /** Begins to ask the servers how they do, where that is wanted; the group that this one follows stops. */
  start(): void {
    const { health } = this.config
    for (const { server } of this.#members) if (health === undefined) server.isHealthy = true
    if (health === undefined || this.#checks.length > 0) return
    this.#checks = this.#members.map(
      ({ server }) =>
        new HealthCheck({ server, config: health, onChange: (problem) => this.#changed(server, problem) }),
    )
  }

  /** A request's body proved too large on its way. */
  bodyRefused(): void {
    this.#context.onRefused?.('body-too-large')
  }

  /** A request came; {@link leave} must follow. */
  enter(): void {
    this.#inFlight += 1
    this.#budget.earn()
  }

  /** Gives the request to a server, to the line, or back to who asked. */
  dispatch(passage: Passage, isLastResort = this.config.holdMs === 0): void {
    if (this.#successor !== null) return this.#handOver(passage)
    const member = this.#choose(passage, isLastResort)
    if (member !== null) this.#assign(passage, member)
    else if (!this.#hold(passage)) passage.refuse(this.#unavailable())
  }

  /** One more attempt for a request of which nothing can have happened; false when there were enough of them. */
  mayRepeat(): boolean {
    return this.#budget.take(performance.now())
  }

  /** The response to the request has begun. */
  answered(passage: Passage, status: number): void {
    const server = passage.server!
    passage.notes.upstreamMs = performance.now() - passage.sentAt
    if (passage.heldUntil > 0) this.#line.leave(passage)
    this.#releaseHeld()
    if (this.#only !== null) return
    if (this.config.circuit.statuses.includes(status)) this.#countFailure(passage, server)
    else if (server.circuit.succeeded()) {
      server.startedAt = performance.now()
      this.logger.info({ upstream: this.name, server: server.name }, 'A server of an upstream is back')
    }
    passage.isProbe = false
  }

  /**
   * The attempt failed before a response began.
   *
   * @param isUnsent not a byte of the request went to the server.
   * @returns what to tell the client; null when the request is on its way again, or in line.
   */
  failed(passage: Passage, error: NodeJS.ErrnoException, isUnsent: boolean): Failure | null {
    const server = passage.server!
    const failure = toFailure(error)
    this.#countFailure(passage, server)
    this.#release(passage)
    const isMoving = (isUnsent || this.#isLost(passage, error)) && this.#sendElsewhere(passage, server)
    const problem = findTlsProblem(error)
    const fields = {
      err: error,
      path: passage.target.path,
      upstream: this.name,
      server: server.name,
      ...(problem !== null && { problem }),
    }
    if (isMoving && isUnsent) this.logger.warn(fields, 'A server of an upstream could not be reached')
    else if (isMoving) this.logger.warn(fields, 'A server of an upstream left a request unanswered')
    else this.logger.warn({ ...fields, status: failure.status }, 'The upstream did not answer')
    if (isMoving) return null
    passage.notes.error = errorCode(error)
    return isUnsent && passage.heldUntil > 0 ? this.#unavailable() : failure
  }

  /** The response broke off after its beginning. */
  brokeOff(passage: Passage, error: NodeJS.ErrnoException): void {
    const server = passage.server!
    passage.notes.error = errorCode(error)
    this.#countFailure(passage, server)
    const fields = { err: error, path: passage.target.path, upstream: this.name, server: server.name }
    this.logger.warn(fields, 'The upstream broke off its response')
  }

  leave(passage: Passage): void {
    if (passage.isProbe) passage.server?.circuit.abandoned()
    if (passage.heldUntil > 0) this.#line.leave(passage)
    if (passage.server !== null) this.#release(passage)
    this.#inFlight -= 1
    if (this.#inFlight > 0) return
    for (const resolve of this.#idle) resolve()
    this.#idle.clear()
  }

  /**
   * Gets nothing new: resolves when what the successor does not have has answered what it had, and is closed. Requests
   * that no server has yet go to the successor.
   */
  async retire(successor: UpstreamGroup | null): Promise<void> {
    const kept = new Set(successor === null ? [] : successor.#members.map(({ server }) => server))
    this.#successor = successor
    this.#stopChecks()
    if (successor !== null) for (const held of this.#line.takeAll()) this.#handOver(held)
    else if (this.#inFlight > 0) await new Promise<void>((resolve) => this.#idle.add(resolve))
    const gone = this.#members.filter(({ server }) => !kept.has(server))
    await Promise.all(gone.map(({ server }) => server.retire()))
  }

  /** Closes every connection; safe to call twice. */
  close(): void {
    this.#stopChecks()
    for (const { server } of this.#members) server.close()
  }

  #stopChecks(): void {
    for (const check of this.#checks) check.close()
  }

  #changed(server: UpstreamServer, problem: Error | null): void {
    const fields = { upstream: this.name, server: server.name }
    if (problem !== null) {
      this.logger.warn(
        { ...fields, problem: findTlsProblem(problem) ?? problem.message },
        'A server of an upstream is not healthy',
      )
      return
    }
    server.circuit.succeeded()
    server.startedAt = performance.now()
    this.logger.info(fields, 'A server of an upstream is healthy again')
    this.#releaseHeld()
  }

  #releaseHeld(): void {
    if (this.#line.hasWaiting) for (const held of this.#line.takeAll()) this.dispatch(held)
  }

  #choose(passage: Passage, isLastResort: boolean): GroupMember | null {
    if (this.#only !== null) return passage.tried === null ? this.#members[0]! : null
    const now = performance.now()
    const { tried, target } = passage
    const candidates = this.#candidates
    candidates.length = 0
    const isOpen = ({ server }: GroupMember) => server.isHealthy && !tried?.includes(server)
    for (const member of this.#members)
      if (isOpen(member) && member.server.circuit.allows(now)) candidates.push(member)
    // Requests failed at all of them: an attempt is worth more than a refusal, save where a check has failed, too.
    if (candidates.length === 0 && isLastResort)
      for (const member of this.#members) if (isOpen(member)) candidates.push(member)
    if (candidates.length === 0) return null
    return candidates.length === 1 ? candidates[0]! : this.#balancer.pick(candidates, target)
  }

  #assign(passage: Passage, member: GroupMember): void {
    const { server } = member
    const now = performance.now()
    passage.server = server
    passage.sentAt = now
    passage.notes.server = server.name
    if (this.#only === null) {
      passage.isProbe = server.circuit.begin(now)
      passage.serverCookie = this.#balancer.cookieFor(member, passage.target)
    }
    server.begin()
    passage.send(server)
  }

  #release(passage: Passage): void {
    passage.server!.end()
    passage.server = null
    passage.isProbe = false
  }

  #sendElsewhere(passage: Passage, from: UpstreamServer): boolean {
    if (this.#successor !== null) {
      this.#handOver(passage)
      return true
    }
    passage.tried = [...(passage.tried ?? []), from]
    if (passage.tried.length < this.config.retry.tries) {
      const member = this.#choose(passage, this.config.holdMs === 0)
      if (member !== null && this.mayRepeat()) {
        this.#assign(passage, member)
        return true
      }
    }
    return this.#hold(passage)
  }

  /**
   * A server that ends resets the connections that it has not taken yet, and what was sent on them is lost: where
   * requests wait for it to come back, those that do no harm twice wait, too. Each goes out `retry.tries` times at most:
   * it may be what the server died of.
   */
  #isLost(passage: Passage, { code }: NodeJS.ErrnoException): boolean {
    if (this.config.holdMs === 0 || !passage.isRepeatable) return false
    if (code !== 'ECONNRESET' && code !== 'EPIPE') return false
    passage.losses += 1
    return passage.losses < this.config.retry.tries
  }

  #hold(passage: Passage): boolean {
    const { holdMs } = this.config
    if (holdMs === 0) return false
    const now = performance.now()
    if (passage.heldUntil === 0) passage.heldUntil = now + holdMs
    // Whoever is let go from the line may try them all again.
    passage.tried = null
    const restMs = passage.heldUntil - now
    return restMs > 0 && this.#line.add(passage, restMs)
  }

  #handOver(passage: Passage): void {
    const successor = this.#successor!
    this.leave(passage)
    passage.group = successor
    passage.tried = null
    successor.enter()
    successor.dispatch(passage)
  }

  #countFailure(passage: Passage, server: UpstreamServer): void {
    server.failures += 1
    if (this.#only !== null) return
    const openMs = server.circuit.failed(performance.now(), passage.isProbe, this.config.circuit)
    if (openMs === 0) return
    const fields = { upstream: this.name, server: server.name, forMs: openMs }
    this.logger.warn(fields, 'A server of an upstream is left out for a while')
  }

  #unavailable(): Failure {
    const now = performance.now()
    const waitMs = Math.min(...this.#members.map(({ server }) => server.circuit.waitMs(now)))
    return { status: 503, retryAfterS: Math.max(1, Math.ceil(waitMs / 1000)) }
  }
}

function toMembers(config: Upstream, tls: TlsMaterial | null, known: readonly GroupMember[]): GroupMember[] {
  return serversOf(config).map((wanted) => {
    const same = known.find(({ server }) => server.serves(wanted, config, tls))
    const server = same?.server ?? new UpstreamServer(wanted, config, tls)
    if (same === undefined && known.length > 0) server.startedAt = performance.now()
    return new GroupMember(server, wanted.weight, config.slowStartMs)
  })
}
