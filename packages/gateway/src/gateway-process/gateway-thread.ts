import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { type HavnError, fromErrorJson } from '@havn/model/errors'
import { Piscina } from 'piscina'
import { errors } from '../errors.ts'
import { moduleUrl } from '../module-url.ts'
import type { ProbeOutcome } from '../thread/health-probe.ts'
import type { ThreadCommand, ThreadReport, WorkerCommand } from '../thread/messages.ts'
import type { ServingThread, ServingThreadOptions, ServingThreadStatus } from './serving-thread.ts'
import { ThreadControl } from './thread-control.ts'

/**
 * One thread of the gateway: a pool of one worker with one task that never returns while it serves. Atomics are
 * off, because Piscina's would freeze the thread's event loop between tasks.
 */
export class GatewayThread implements ServingThread {
  readonly #pool: Piscina
  readonly #port: MessagePort
  readonly #ended: Promise<void>
  readonly #control: ThreadControl
  #closed = false
  #prepared = false

  private constructor({ input, onReport, onFailure }: ServingThreadOptions) {
    const { port1, port2 } = new MessageChannel()
    this.#port = port1
    this.#pool = new Piscina({
      filename: moduleUrl(import.meta.url, '../thread/main').href,
      minThreads: 1,
      maxThreads: 1,
      atomics: 'disabled',
    })
    this.#control = new ThreadControl((command) => this.#send(command))
    let failure: HavnError | null = null
    const fail = (error: HavnError) => {
      if (failure !== null || this.#closed) return
      failure = error
      this.#control.end(error)
      if (this.#prepared) onFailure(error)
    }
    port1.on('message', (report: ThreadReport) => {
      if (report.type === 'failed') fail(fromErrorJson(report.error))
      this.#control.receive(report)
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
  static async start(options: ServingThreadOptions): Promise<GatewayThread> {
    const thread = new GatewayThread(options)
    try {
      await thread.#control.next('prepared')
    } catch (error) {
      await thread.destroy()
      throw error
    }
    thread.#prepared = true
    return thread
  }

  probe(instance?: number): Promise<ProbeOutcome> {
    return this.#control.probe(instance)
  }

  tell(command: WorkerCommand): void {
    this.#send(command)
  }

  listen(): Promise<void> {
    return this.#control.listen()
  }

  async drain(): Promise<void> {
    this.#closed = true
    this.#send({ type: 'drain' })
    await this.#ended
  }

  close(): void {
    this.#closed = true
    this.#send({ type: 'close' })
  }

  async status(): Promise<ServingThreadStatus> {
    const status = await this.#control.status()
    return { python: status?.python ?? null, worker: null, counters: null }
  }

  async destroy(): Promise<void> {
    this.#closed = true
    this.#port.close()
    await this.#pool.destroy()
  }

  #send(command: ThreadCommand): void {
    this.#port.postMessage(command)
  }
}
