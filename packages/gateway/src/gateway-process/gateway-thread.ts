import { EventEmitter, once } from 'node:events'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { type HavnError, fromErrorJson } from '@havn/model'
import { Piscina } from 'piscina'
import { errors } from '../errors.ts'
import type { PythonHostStatus } from '../host/python-host.ts'
import { moduleUrl } from '../module-url.ts'
import type { ThreadCommand, ThreadInput, ThreadReport } from '../thread/messages.ts'

export interface GatewayThreadOptions {
  input: Omit<ThreadInput, 'port'>
  /** Receives what concerns workers. */
  onReport: (report: ThreadReport) => void
  /** The thread ended by itself, after it had been prepared. */
  onFailure: (error: HavnError) => void
}

/**
 * One thread of the gateway: a pool of one worker with one task that never returns while it serves. Atomics are
 * off, because Piscina's would freeze the thread's event loop between tasks.
 */
export class GatewayThread {
  readonly #pool: Piscina
  readonly #port: MessagePort
  readonly #ended: Promise<void>
  readonly #reports = new EventEmitter()
  #closed = false
  #prepared = false
  #nextId = 0

  private constructor({ input, onReport, onFailure }: GatewayThreadOptions) {
    const { port1, port2 } = new MessageChannel()
    this.#port = port1
    this.#pool = new Piscina({
      filename: moduleUrl(import.meta.url, '../thread/main').href,
      minThreads: 1,
      maxThreads: 1,
      atomics: 'disabled',
    })
    // Any number of questions may be open at once.
    this.#reports.setMaxListeners(0)
    let failure: HavnError | null = null
    const fail = (error: HavnError) => {
      if (failure !== null || this.#closed) return
      failure = error
      this.#reports.emit('ended', error)
      if (this.#prepared) onFailure(error)
    }
    port1.on('message', (report: ThreadReport) => {
      if (report.type === 'failed') fail(fromErrorJson(report.error))
      this.#reports.emit(report.type, report)
      onReport(report)
    })
    const seen = (reason: string) => ({ thread: input.thread, reason })
    this.#ended = this.#pool.run({ ...input, port: port2 }, { transferList: [port2] }).then(
      () => fail(errors.HAVN_ERR_GATEWAY_THREAD(seen('its task returned'))),
      (cause: Error) =>
        fail(errors.HAVN_ERR_GATEWAY_THREAD(seen(cause.message), { cause, detail: cause.stack })),
    )
  }

  /** Starts a thread; rejects when its edge, its host or a thread module does not load. */
  static async start(options: GatewayThreadOptions): Promise<GatewayThread> {
    const thread = new GatewayThread(options)
    try {
      await thread.#next('prepared')
    } catch (error) {
      await thread.destroy()
      throw error
    }
    thread.#prepared = true
    return thread
  }

  /** Accepts connections from now on. */
  async listen(): Promise<void> {
    const listening = this.#next('listening')
    this.#send({ type: 'listen' })
    await listening
  }

  /** Resolves after the last connection has ended and the host is gone. */
  async drain(): Promise<void> {
    this.#closed = true
    this.#send({ type: 'drain' })
    await this.#ended
  }

  /** Breaks off what is in flight; `drain()` resolves soon after. */
  close(): void {
    this.#closed = true
    this.#send({ type: 'close' })
  }

  async status(): Promise<PythonHostStatus | null> {
    const id = this.#nextId++
    const answer = new Promise<PythonHostStatus | null>((resolve) => {
      const onStatus = (report: Extract<ThreadReport, { type: 'status' }>) => {
        if (report.id !== id) return
        this.#reports.off('status', onStatus)
        resolve(report.status)
      }
      this.#reports.on('status', onStatus)
    })
    this.#send({ type: 'status', id })
    return answer
  }

  /** Ends the thread at once. Safe to call twice. */
  async destroy(): Promise<void> {
    this.#closed = true
    this.#port.close()
    await this.#pool.destroy()
  }

  #send(command: ThreadCommand): void {
    this.#port.postMessage(command)
  }

  async #next(type: ThreadReport['type']): Promise<void> {
    const over = new AbortController()
    const ended = once(this.#reports, 'ended', over).then(([error]) => {
      throw error
    })
    try {
      await Promise.race([once(this.#reports, type, over), ended])
    } finally {
      ended.catch(() => {})
      over.abort()
    }
  }
}
