import { EventEmitter, once } from 'node:events'
import type { HavnError } from '@havn/model/errors'
import type { ProbeOutcome } from '../thread/health-probe.ts'
import type { EdgeUpdate, ThreadCommand, ThreadReport, ThreadStatus } from '../thread/messages.ts'

/** A thread whose loop is blocked does not answer: it must not hide what the others say. */
const STATUS_MS = 1_000

/** The questions to a thread and its answers, over whatever carries them. */
export class ThreadControl {
  readonly #send: (command: ThreadCommand) => void
  readonly #reports = new EventEmitter()
  #nextId = 0

  constructor(send: (command: ThreadCommand) => void) {
    this.#send = send
    // Any number of questions may be open at once.
    this.#reports.setMaxListeners(0)
  }

  /** Hands on what the thread reported. */
  receive(report: ThreadReport): void {
    this.#reports.emit(report.type, report)
  }

  /** The thread is gone: what is waited for rejects. */
  end(error: HavnError): void {
    this.#reports.emit('ended', error)
  }

  async listen(): Promise<void> {
    const listening = this.next('listening')
    this.#send({ type: 'listen' })
    await listening
  }

  /** Null when the thread ends before it answers, or is too busy to. */
  async status(): Promise<ThreadStatus | null> {
    const id = this.#nextId++
    const answer = new Promise<ThreadStatus | null>((resolve) => {
      const settle = (status: ThreadStatus | null) => {
        clearTimeout(timer)
        this.#reports.off('status', onStatus)
        this.#reports.off('ended', onEnded)
        resolve(status)
      }
      const onEnded = () => settle(null)
      const onStatus = (report: Extract<ThreadReport, { type: 'status' }>) => {
        if (report.id === id) settle(report.status)
      }
      this.#reports.on('status', onStatus)
      this.#reports.on('ended', onEnded)
      const timer = setTimeout(onEnded, STATUS_MS)
    })
    this.#send({ type: 'status', id })
    return answer
  }

  /** Takes as long as the app does; whoever asks has a deadline. */
  async probe(instance?: number): Promise<ProbeOutcome> {
    const id = this.#nextId++
    const answer = new Promise<ProbeOutcome>((resolve) => {
      const settle = (outcome: ProbeOutcome) => {
        this.#reports.off('probed', onProbed)
        this.#reports.off('ended', onEnded)
        resolve(outcome)
      }
      const onEnded = (error: HavnError) => settle({ error: error.message })
      const onProbed = ({ id: asked, status, error }: Extract<ThreadReport, { type: 'probed' }>) => {
        if (asked === id) settle({ status, error })
      }
      this.#reports.on('probed', onProbed)
      this.#reports.on('ended', onEnded)
    })
    this.#send({ type: 'probe', id, instance })
    return answer
  }

  /** Rejects when the thread ends before it answers. */
  async updateEdge(config: unknown): Promise<EdgeUpdate> {
    const id = this.#nextId++
    const answer = new Promise<EdgeUpdate>((resolve, reject) => {
      const settle = () => {
        this.#reports.off('edge-updated', onUpdated)
        this.#reports.off('ended', onEnded)
      }
      const onEnded = (error: HavnError) => {
        settle()
        reject(error)
      }
      const onUpdated = (report: Extract<ThreadReport, { type: 'edge-updated' }>) => {
        if (report.id !== id) return
        settle()
        resolve(report.outcome)
      }
      this.#reports.on('edge-updated', onUpdated)
      this.#reports.on('ended', onEnded)
    })
    this.#send({ type: 'edge', id, config })
    return answer
  }

  /** Resolves with the next report of this type; rejects when the thread ends first. */
  async next(type: ThreadReport['type']): Promise<void> {
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
