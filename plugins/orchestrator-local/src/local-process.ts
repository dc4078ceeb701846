import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { HavnError, toErrorJson } from '@havn/model/errors'
import type { FailureReason, Probe, ProcessCondition } from '@havn/model'
import { SupervisedChild, describeExit, errors as processErrors } from '@havn/process'
import { errors } from './errors.ts'
import type { ManagedChild, SupervisedEvent } from '@havn/process'
import type { ProcessStatus } from '@havn/plugin-api'
import type { LocalConfig } from './config.ts'
import { createLineTail } from './line-tail.ts'
import { clearAddresses, removeSockets } from './listen-addresses.ts'
import type { PlannedProcess } from './planned-process.ts'
import { waitForProbe } from './probe.ts'
import { processEnvironment } from './process-environment.ts'
import { startGroup } from './process-group.ts'
import { createReadyChannel } from './ready-channel.ts'
import { resolveProgram } from './resolve-program.ts'
import type { RunContext } from './run-context.ts'

const PROBE_GRACE_MS = 5_000
/** A process that does not answer within it is shown without what it would say. */
const STATUS_MS = 3_000

export interface LocalProcessOptions {
  planned: PlannedProcess
  context: RunContext
  restart: LocalConfig['restart']
  /** Every child that is started, so that it can be found again when this process is killed. */
  onStarted(pid: number): void
  /** It ended by itself, and does not come back. */
  onGivenUp(error: unknown): void
}

/** One process that is kept running until it is stopped. */
export class LocalProcess {
  readonly planned: PlannedProcess
  readonly #options: LocalProcessOptions
  readonly #supervised: SupervisedChild
  readonly #tail = createLineTail()
  #channel = createReadyChannel()
  #failedStarts = 0
  #nextQuestion = 0
  #lastFailure: FailureReason | null = null
  /** The reload that runs last; settles, never rejects. */
  #reloading: Promise<void> = Promise.resolve()
  #wasReady = false

  constructor(options: LocalProcessOptions) {
    const { restart, planned } = options
    const { startup, ready } = planned.spec.probes
    this.planned = planned
    this.#options = options
    this.#supervised = new SupervisedChild({
      name: planned.name,
      start: () => this.#spawn(),
      ready: (_child, signal) => this.#waitUntilReady(signal),
      // Each probe has its own deadline; this one is for what hangs beyond them.
      readyTimeoutMs: (startup?.timeoutMs ?? 0) + (ready?.timeoutMs ?? 0) + PROBE_GRACE_MS,
      backoff: { firstMs: restart.firstDelayMs, maxMs: restart.maxDelayMs },
      stop: { signal: planned.spec.stop.signal as NodeJS.Signals, killMs: planned.spec.stop.killMs },
      onEvent: (event) => this.#tell(event),
    })
  }

  /**
   * Resolves when the process is ready.
   *
   * @throws what hinders it, with the process's last lines as detail; nothing is left running then.
   */
  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const stop = () => void this.#supervised.stop()
    signal.addEventListener('abort', stop, { once: true })
    try {
      await this.#supervised.start()
    } catch (error) {
      await removeSockets(this.planned)
      signal.throwIfAborted()
      throw this.#explain(error)
    } finally {
      signal.removeEventListener('abort', stop)
    }
  }

  /** Whether it can take its app anew without an end of its service. */
  get canReload(): boolean {
    return this.planned.spec.reload.type === 'signal'
  }

  /**
   * Has it take its app anew, once an earlier reload is over: signals that come together become one. Resolves when it
   * says so, or once it was told, where it says nothing.
   *
   * @throws what it says of it, HAVN_ERR_LOCAL_RELOAD_LOST
   */
  async reload(signal: AbortSignal): Promise<void> {
    const reloaded = this.#reloading.then(() => this.#reload(signal))
    this.#reloading = reloaded.catch(() => {})
    await reloaded
  }

  /** Drains and ends it; the signal's abort kills it at once. Safe to call twice. */
  async stop(signal: AbortSignal): Promise<void> {
    const kill = () => this.#supervised.child?.kill('SIGKILL')
    signal.addEventListener('abort', kill, { once: true })
    const stopped = this.#supervised.stop()
    if (signal.aborted) kill()
    await stopped
    signal.removeEventListener('abort', kill)
    await removeSockets(this.planned)
  }

  async status(): Promise<ProcessStatus> {
    const condition = await this.#askCondition()
    const { child, restarts, failures, since, state } = this.#supervised
    const states = { idle: 'stopped', stopping: 'draining' } as const
    return {
      workload: this.planned.workload,
      process: this.planned.name,
      ...(child && { pid: child.pid }),
      state: state === 'idle' || state === 'stopping' ? states[state] : state,
      since: since.toISOString(),
      restarts,
      ...(failures > 0 && { failures, ...(this.#lastFailure && { lastFailure: this.#lastFailure }) }),
      ...(condition && { parts: condition.parts }),
      ...(condition?.lastReload && { lastReload: condition.lastReload }),
    }
  }

  /** Null where it does not say, or not in time. */
  async #askCondition(): Promise<ProcessCondition | null> {
    const { child, state } = this.#supervised
    if (this.planned.spec.status !== 'ipc' || child === null || state !== 'ready') return null
    const id = this.#nextQuestion++
    const answer = this.#channel.nextStatus(id)
    if (!child.send({ type: 'status', id })) return null
    const over = new AbortController()
    const late = sleep(STATUS_MS, null, over).catch(() => null)
    const condition = await Promise.race([answer, late, child.exited.then(() => null)])
    over.abort()
    return condition
  }

  async #reload(signal: AbortSignal): Promise<void> {
    const { reload } = this.planned.spec
    const { child, state } = this.#supervised
    if (reload.type !== 'signal' || child === null || state !== 'ready') return
    const { name } = this.planned
    const { emit } = this.#options.context
    const startedAt = performance.now()
    const answer = reload.answer === 'ipc' ? this.#channel.nextReload() : Promise.resolve(null)
    emit({ type: 'process.reloading', process: name, pid: child.pid })
    // To the leader alone: its own children would take the signal for their end.
    process.kill(child.pid, reload.signal as NodeJS.Signals)
    const lost = child.exited.then(() => errors.HAVN_ERR_LOCAL_RELOAD_LOST({ process: name }))
    const error = await Promise.race([answer, lost, abortedBy(signal)])
    const durationMs = Math.round(performance.now() - startedAt)
    emit({ type: 'process.reloaded', process: name, durationMs, ok: error === null })
    if (error !== null) throw error
  }

  async #spawn(): Promise<ManagedChild> {
    const { planned, context } = this.#options
    const { name, spec } = planned
    const { command, args } = await resolveProgram(spec.program, { process: name, runtime: context.runtime })
    const env = processEnvironment(name, spec, context)
    await clearAddresses(planned)
    this.#tail.clear()
    this.#channel = createReadyChannel()
    const { receive } = this.#channel
    return startGroup({
      command,
      args: [...args, ...spec.args],
      cwd: resolve(context.release.app.root, spec.directory),
      env,
      ipc: [spec.probes.startup, spec.probes.ready].some((probe) => probe?.type === 'ipc'),
      onMessage: receive,
      onLine: (stream, line) => {
        this.#tail.push(line)
        context.emit({ type: 'process.output', process: name, stream, line })
      },
    })
  }

  async #waitUntilReady(signal: AbortSignal): Promise<void> {
    const { startup, ready } = this.planned.spec.probes
    if (startup) await this.#waitFor(startup, signal)
    if (ready) await this.#waitFor(ready, signal)
  }

  /** Throws HAVN_ERR_PROCESS_NOT_READY with what the probe saw last. */
  async #waitFor(probe: Probe, signal: AbortSignal): Promise<void> {
    const { timeoutMs } = probe
    const deadline = AbortSignal.timeout(timeoutMs)
    let seen = 'nothing'
    try {
      await waitForProbe({
        probe,
        channel: this.#channel,
        onAttempt: (outcome) => (seen = outcome),
        signal: AbortSignal.any([signal, deadline]),
      })
    } catch (error) {
      if (error !== deadline.reason) throw error
      const json = processErrors.HAVN_ERR_PROCESS_NOT_READY({ name: this.planned.name, timeoutMs }).toJSON()
      throw new HavnError({ ...json, message: `${json.message} Last seen: ${seen}.` })
    }
  }

  #tell(event: SupervisedEvent): void {
    const { context, onStarted, onGivenUp, restart } = this.#options
    const process = this.planned.name
    switch (event.type) {
      case 'starting':
        onStarted(event.pid)
        return context.emit({ type: 'process.starting', process, pid: event.pid })
      case 'ready':
        this.#wasReady = true
        this.#failedStarts = 0
        return context.emit({ type: 'process.ready', process, durationMs: event.durationMs })
      case 'exited': {
        const { code, signal, expected } = event.record
        if (!expected) this.#lastFailure = { message: `It ${describeExit({ code, signal })}.` }
        return context.emit({ type: 'process.exited', process, code, signal, expected })
      }
      case 'restarting':
        return context.emit({ type: 'process.restarting', process, delayMs: event.delayMs })
      case 'failed':
        this.#failedStarts += 1
        this.#lastFailure = toReason(this.#explain(event.error))
        if (this.#wasReady && this.#failedStarts === restart.attempts) onGivenUp(this.#explain(event.error))
    }
  }

  /** Adds what the process said. */
  #explain(error: unknown): unknown {
    const cause = this.#channel.failure ?? error
    if (!(cause instanceof HavnError)) return cause
    const json = cause.toJSON()
    return new HavnError({ ...json, detail: json.detail ?? this.#tail.text() }, { cause })
  }
}

function toReason(error: unknown): FailureReason {
  const { code, message } = toErrorJson(error)
  return { code, message }
}

function abortedBy(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
