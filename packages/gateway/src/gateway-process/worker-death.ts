import { rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FailureReason } from '@havn/model'
import type { ErrorJson } from '@havn/model/errors'
import { OwnCgroup, type ExitRecord } from '@havn/process'
import { Scoreboard } from '../host/scoreboard.ts'
import type { StuckReason } from '../host/worker-health.ts'
import type { WorkerEnd } from '../host/python-host.ts'
import { createDeathCertificate, toFailureReason, type DeathCertificate } from './death-certificate.ts'
import { WorkerStacks } from './worker-stacks.ts'

/** An exit is seen by this thread, the end of the connection by another: the later one comes within it. */
const SIGHT_MS = 1_000

/** What its thread saw as the connection of a worker ended. */
type LastSight = Pick<WorkerEnd, 'inFlight' | 'queued'>

export interface WorkerDeathOptions {
  worker: number
  thread: number
  scoreboardPath: string
  /** The file that the host writes its stacks into. */
  stacksPath: string
}

/** Gathers what there is to know of the end of one worker process, from its start on. */
export class WorkerDeath {
  readonly #options: WorkerDeathOptions
  readonly #stacks: WorkerStacks
  readonly #seen = Promise.withResolvers<LastSight | null>()
  #stuck: StuckReason | null = null
  #error: ErrorJson | null = null
  #asking: Promise<void> | null = null
  #text: string | undefined
  #cgroup: OwnCgroup | null = null

  constructor(options: WorkerDeathOptions) {
    this.#options = options
    this.#stacks = new WorkerStacks(options.stacksPath)
  }

  /** It has started: where it has a cgroup of its own by now, the kernel tells of its memory. */
  onReady(pid: number): void {
    this.#cgroup = OwnCgroup.find(pid)
  }

  /** The gateway is about to give it up: its stacks, as they are now, are what tells most. Safe to call twice. */
  giveUp(pid: number, stuck: StuckReason | null): Promise<void> {
    this.#stuck ??= stuck
    this.#asking ??= this.#stacks.request(pid)
    return this.#asking
  }

  /** Requests that it has begun, by its scoreboard. */
  countRequests(): number {
    const scoreboard = Scoreboard.open(this.#options.scoreboardPath)
    try {
      return scoreboard?.begun() ?? 0
    } finally {
      scoreboard?.close()
    }
  }

  /** Its connection has ended. */
  onGone(sight: LastSight, error: ErrorJson | undefined): void {
    this.#error = error ?? null
    this.#seen.resolve(sight)
  }

  /** Its Python stacks, where it has written them. */
  stacks(): string | undefined {
    return this.#text ?? this.#stacks.read()
  }

  /** The record of its end. Removes what it shared with the gateway. */
  async certify(record: ExitRecord, restarts: number): Promise<DeathCertificate> {
    const requests = this.countRequests()
    const stacks = this.stacks()
    this.forget()
    const over = new AbortController()
    const lastSight = await Promise.race([this.#seen.promise, sleep(SIGHT_MS, null, over)])
    over.abort()
    return this.#toCertificate(record, { restarts, requests, lastSight, stacks })
  }

  /** Why it ended, in a line, as far as it is known at once. */
  reason(record: ExitRecord): FailureReason {
    return toFailureReason(
      this.#toCertificate(record, { restarts: 0, requests: 0, lastSight: null, stacks: undefined }),
    )
  }

  #toCertificate(
    record: ExitRecord,
    seen: { restarts: number; requests: number; lastSight: LastSight | null; stacks: string | undefined },
  ): DeathCertificate {
    const { worker, thread } = this.#options
    const { restarts, requests, lastSight, stacks } = seen
    const oomKills = this.#cgroup?.oomKills() ?? null
    return createDeathCertificate({
      event: 'worker.exited',
      worker,
      thread,
      record,
      restarts,
      figures: { requests, queued: lastSight?.queued },
      inFlight: lastSight?.inFlight,
      ...(oomKills !== null && { memory: { oomKills } }),
      stuck: this.#stuck,
      broken: this.#error,
      stacks,
    })
  }

  /** Removes what it shared with the gateway; its stacks stay known. Safe to call twice. */
  forget(): void {
    this.#text ??= this.#stacks.read()
    rmSync(this.#options.scoreboardPath, { force: true })
    this.#stacks.remove()
  }
}
