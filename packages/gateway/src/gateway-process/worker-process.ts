import { setTimeout as sleep } from 'node:timers/promises'
import { startChild, type ExitRecord, type ManagedChild } from '@havn/process'
import type { FailedMessage } from '../frames/index.ts'
import { toAppError } from './app-failure.ts'
import { WorkerDeath } from './worker-death.ts'
import { hostEnvironment, hostProgram, type HostSettings } from './host-environment.ts'

/** Lines of output that tell why an app died at its start. */
const KEPT_LINES = 40
/** A host exits with it after FAILED, which reaches us by way of its thread. */
const EXIT_FAILED = 3
const FAILED_GRACE_MS = 500

export interface WorkerProcessOptions extends HostSettings {
  thread: number
  /** The variables that it starts with. */
  env: Readonly<Record<string, string | undefined>>
  /** Another process of the worker serves: this one gets no requests before it is healthy. */
  isSuccessor: boolean
  onLine: (stream: 'stdout' | 'stderr', line: string) => void
}

/** One CPython process of a worker, from its spawn to its end. */
export class WorkerProcess implements ManagedChild {
  readonly instance: number
  readonly isSuccessor: boolean
  readonly death: WorkerDeath
  readonly exited: Promise<ExitRecord>
  /** Resolves at READY, rejects at FAILED with the app's own error. */
  readonly ready: Promise<void>
  /** It has been replaced, and was told to finish. */
  isRetired = false
  /** How it ended. */
  end: ExitRecord | null = null
  readonly #child: ManagedChild
  readonly #target: string
  readonly #lines: string[]
  readonly #ready = Promise.withResolvers<void>()
  #isLoading = true

  private constructor(options: WorkerProcessOptions, child: ManagedChild, lines: string[]) {
    const { instance, isSuccessor, app } = options
    this.instance = instance
    this.isSuccessor = isSuccessor
    this.death = new WorkerDeath(options)
    this.#child = child
    this.#target = app.target
    this.#lines = lines
    this.ready = this.#ready.promise
    // It may be rejected before, or without, anyone waiting for it.
    this.ready.catch(() => {})
    this.exited = child.exited.then((record) => this.#onExit(record))
  }

  /** @throws HAVN_ERR_PROCESS_SPAWN */
  static async start(options: WorkerProcessOptions): Promise<WorkerProcess> {
    const { app, env, onLine } = options
    const lines: string[] = []
    const child = await startChild({
      command: app.python,
      args: [hostProgram],
      cwd: app.directory,
      env: hostEnvironment(options, env),
      // A group of its own: a signal to the gateway's group is the supervisor's to act on.
      detached: true,
      onLine(stream, line) {
        lines.push(line)
        if (lines.length > KEPT_LINES) lines.shift()
        onLine(stream, line)
      },
    })
    return new WorkerProcess(options, child, lines)
  }

  get pid(): number {
    return this.#child.pid
  }

  /** Its last lines. */
  get output(): string {
    return this.#lines.join('\n')
  }

  /** Its thread got READY. */
  onReady(): void {
    this.#isLoading = false
    this.death.onReady(this.pid)
    this.#ready.resolve()
  }

  /** Its thread got FAILED. */
  onFailed(failure: FailedMessage): void {
    this.#isLoading = false
    this.#ready.reject(toAppError(this.#target, failure))
  }

  send(message: unknown): boolean {
    return this.#child.send(message)
  }

  disconnect(): void {
    this.#child.disconnect()
  }

  async stop(options?: { signal?: NodeJS.Signals; killMs?: number }): Promise<ExitRecord> {
    // Of one that does not become ready, where it hangs is what its user needs to know.
    const hangs = this.#isLoading && this.end === null && options?.signal !== 'SIGKILL'
    if (hangs) await this.death.giveUp(this.pid, null)
    await this.#child.stop(options)
    return this.exited
  }

  kill(signal?: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  async #onExit(record: ExitRecord): Promise<ExitRecord> {
    this.end = record
    if (record.code === EXIT_FAILED && !record.expected) await sleep(FAILED_GRACE_MS)
    return record
  }
}
