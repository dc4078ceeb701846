import { rmSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fromErrorJson, type ErrorJson } from '@havn/model/errors'
import { describeExit, startChild, type ExitRecord, type ManagedChild } from '@havn/process'
import { toDoor } from '../config/door.ts'
import type { GatewayConfig } from '../config/gateway-config.ts'
import { errors } from '../errors.ts'
import type { DeathEvidence } from '../gateway-process/death-certificate.ts'
import { readFigures } from '../gateway-process/figures-file.ts'
import { figuresPath, type GatewayMessage, type SupervisorMessage } from '../gateway-process/messages.ts'
import { reportFlags, takeReport } from '../gateway-process/process-report.ts'
import type { GatewayProcessStatus } from '../gateway-process/status.ts'
import { moduleUrl } from '../module-url.ts'
import type { TlsMaterial } from '../tls/tls-material.ts'
import type { GatewayListener } from './listener.ts'

const FIRST_DESCRIPTOR = 3
/** In its folder: what V8 leaves when it gives the process up. */
const reportName = 'report.json'
/** A process that does not answer within it is asked no longer. */
const STATUS_MS = 2_000

export interface GatewayInstanceOptions {
  /** Counted from 0; names its folder. */
  instance: number
  config: GatewayConfig
  env: Readonly<Record<string, string>>
  /** The gateway's private folder; this process gets one of its own in it. */
  runDirectory: string
  listeners: readonly GatewayListener[]
  /** Null where none of them speaks TLS. */
  tls: TlsMaterial | null
  /** Another process serves. */
  isSuccessor: boolean
  /** Restarts of the gateway process before. */
  restarts: number
  /** It cannot go on, and ends. */
  onFailed: (error: ErrorJson) => void
}

/** What a gateway process leaves of itself. */
export type GatewayEvidence = Required<Pick<DeathEvidence, 'figures' | 'failed' | 'words' | 'report'>>

/** One gateway process, from its spawn to its end, and what is said over its channel. */
export class GatewayInstance implements ManagedChild {
  readonly exited: Promise<ExitRecord>
  readonly #options: GatewayInstanceOptions
  readonly #folder: string
  readonly #child: ManagedChild
  readonly #ready = Promise.withResolvers<void>()
  readonly #draining = Promise.withResolvers<void>()
  readonly #questions = new Map<number, (answer: GatewayMessage | null) => void>()
  #nextId = 0
  #evidence: GatewayEvidence = { figures: null, failed: null, words: null, report: null }

  private constructor(
    options: GatewayInstanceOptions,
    folder: string,
    start: StartInstance,
    child: ManagedChild,
  ) {
    this.#options = options
    this.#folder = folder
    this.#child = child
    this.#ready.promise.catch(() => {})
    start.receive = (message) => this.#onMessage(message)
    this.exited = child.exited.then((record) => this.#onExit(record))
  }

  /** @throws HAVN_ERR_PROCESS_SPAWN */
  static async start(options: GatewayInstanceOptions): Promise<GatewayInstance> {
    const { instance, config, runDirectory, listeners, env } = options
    const folder = join(runDirectory, `p${instance}`)
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const start: StartInstance = { receive: () => {} }
    const child = await startChild({
      command: process.execPath,
      args: [
        ...reportFlags(join(folder, reportName)),
        fileURLToPath(moduleUrl(import.meta.url, '../gateway-process/main')),
      ],
      env: { UV_THREADPOOL_SIZE: String(threadPoolSize(config.threads)), ...env },
      // Each number becomes a descriptor of its own: no two threads may hold one.
      descriptors: Array.from({ length: config.threads }, () => listeners.map(({ fd }) => fd)).flat(),
      ipc: true,
      onMessage: (message) => start.receive(message as GatewayMessage),
    })
    return new GatewayInstance(options, folder, start, child)
  }

  /** What is known of its end, once it has ended. */
  get evidence(): GatewayEvidence {
    return this.#evidence
  }

  /** What it was started with. */
  get tls(): TlsMaterial | null {
    return this.#options.tls
  }

  get pid(): number {
    return this.#child.pid
  }

  /** Resolves when it accepts no connection any more. Never rejects. */
  get draining(): Promise<void> {
    return this.#draining.promise
  }

  /** Tells it what to run. Resolves when it serves; rejects with what it says. */
  serve(): Promise<void> {
    const { config, listeners, tls, isSuccessor, restarts } = this.#options
    this.#send({
      type: 'start',
      config,
      runDirectory: this.#folder,
      doors: listeners.map((listener) => toDoor(listener, config.tls)),
      tls,
      descriptors: Array.from({ length: config.threads }, (_row, thread) =>
        listeners.map((_listener, at) => FIRST_DESCRIPTOR + thread * listeners.length + at),
      ),
      isSuccessor,
      restarts,
    })
    return this.#ready.promise
  }

  /** What its threads speak TLS with from now on, once it serves. */
  updateTls(tls: TlsMaterial): void {
    this.#send({ type: 'tls', tls })
  }

  /** It finishes what it has, and ends. */
  drain(force: boolean): void {
    this.#send({ type: 'drain', force })
  }

  /**
   * Gives the app anew to its workers.
   *
   * @throws the app's own error; HAVN_ERR_GATEWAY_RELOAD_LOST when the process ends meanwhile.
   */
  async reload(): Promise<void> {
    const answer = await this.#ask((id) => ({ type: 'reload', id }))
    if (answer?.type === 'reloaded' && answer.error !== undefined) throw fromErrorJson(answer.error)
    if (answer !== null) return
    throw errors.HAVN_ERR_GATEWAY_RELOAD_LOST({ end: describeExit(await this.exited) })
  }

  /**
   * Gives the edge of each of its threads a new configuration.
   *
   * @returns false when the edge takes none while it serves.
   * @throws the edge's own error; HAVN_ERR_GATEWAY_RELOAD_LOST when the process ends meanwhile.
   */
  async updateEdge(config: unknown): Promise<boolean> {
    const answer = await this.#ask((id) => ({ type: 'edge', id, config }))
    if (answer?.type !== 'edge-updated')
      throw errors.HAVN_ERR_GATEWAY_RELOAD_LOST({ end: describeExit(await this.exited) })
    const { isUpdated, error } = answer.outcome
    if (error !== undefined) throw fromErrorJson(error)
    return isUpdated
  }

  /** Null when it does not answer. */
  async status(): Promise<GatewayProcessStatus | null> {
    const answer = await this.#ask((id) => ({ type: 'status', id }), STATUS_MS)
    return answer?.type === 'status' ? answer.status : null
  }

  send(message: unknown): boolean {
    return this.#child.send(message)
  }

  disconnect(): void {
    this.#child.disconnect()
  }

  async stop(options?: { signal?: NodeJS.Signals; killMs?: number }): Promise<ExitRecord> {
    await this.#child.stop(options)
    return this.exited
  }

  kill(signal?: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  async #ask(
    toMessage: (id: number) => SupervisorMessage,
    timeoutMs?: number,
  ): Promise<GatewayMessage | null> {
    const id = this.#nextId++
    const { promise, resolve } = Promise.withResolvers<GatewayMessage | null>()
    this.#questions.set(id, resolve)
    const timer = timeoutMs === undefined ? undefined : setTimeout(() => resolve(null), timeoutMs)
    if (!this.#send(toMessage(id))) resolve(null)
    const answer = await promise
    clearTimeout(timer)
    this.#questions.delete(id)
    return answer
  }

  #send(message: SupervisorMessage): boolean {
    return this.#child.send(message)
  }

  #onMessage(message: GatewayMessage): void {
    if (message.type === 'ready') return this.#ready.resolve()
    if (message.type === 'draining') return this.#draining.resolve()
    if (message.type === 'last-words') {
      this.#evidence = { ...this.#evidence, words: message.words }
      return
    }
    if (message.type !== 'failed') return this.#questions.get(message.id)?.(message)
    this.#evidence = { ...this.#evidence, failed: message.error }
    this.#ready.reject(fromErrorJson(message.error))
    this.#options.onFailed(message.error)
  }

  #onExit(record: ExitRecord): ExitRecord {
    this.#draining.resolve()
    for (const resolve of this.#questions.values()) resolve(null)
    this.#evidence = {
      ...this.#evidence,
      figures: readFigures(figuresPath(this.#folder)),
      report: takeReport(join(this.#folder, reportName)),
    }
    rmSync(this.#folder, { recursive: true, force: true })
    return record
  }
}

/** The channel is open before there is an object that hears it. */
interface StartInstance {
  receive: (message: GatewayMessage) => void
}

/** Static files, DNS and zlib of all threads share libuv's pool. */
function threadPoolSize(threads: number): number {
  return Math.min(Math.max(4, 2 * availableParallelism(), 4 * threads), 64)
}
