import { EventEmitter, once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { HavnError } from '@havn/model/errors'
import type { ProbeOutcome } from '../thread/health-probe.ts'
import type { EdgeUpdate, ThreadCommand, ThreadReport, ThreadStatus } from '../thread/messages.ts'

/** A thread whose loop is blocked does not answer: it must not hide what the others say. */
const STATUS_MS = 1_000

/** Reports that answer a question, by their type. */
interface Answers {
  status: Extract<ThreadReport, { type: 'status' }>
  probed: Extract<ThreadReport, { type: 'probed' }>
  'edge-updated': Extract<ThreadReport, { type: 'edge-updated' }>
}

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
    const answer = this.#ask('status', (id) => ({ type: 'status', id })).then(({ status }) => status)
    return Promise.race([answer, sleep(STATUS_MS, null, { ref: false })]).catch(() => null)
  }

  /** Takes as long as the app does; whoever asks has a deadline. */
  async probe(instance?: number): Promise<ProbeOutcome> {
    try {
      const { status, error } = await this.#ask('probed', (id) => ({ type: 'probe', id, instance }))
      return { status, error }
    } catch (error) {
      return { error: (error as HavnError).message }
    }
  }

  /** Rejects when the thread ends before it answers. */
  async updateEdge(config: unknown): Promise<EdgeUpdate> {
    const { outcome } = await this.#ask('edge-updated', (id) => ({ type: 'edge', id, config }))
    return outcome
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

  /** Resolves with the answer to this question; rejects when the thread ends before it answers. */
  #ask<Type extends keyof Answers>(
    type: Type,
    toCommand: (id: number) => ThreadCommand,
  ): Promise<Answers[Type]> {
    const id = this.#nextId++
    const answer = new Promise<Answers[Type]>((resolve, reject) => {
      const onEnded = (error: HavnError) => {
        this.#reports.off(type, onAnswer)
        reject(error)
      }
      const onAnswer = (report: Answers[Type]) => {
        if (report.id !== id) return
        this.#reports.off(type, onAnswer).off('ended', onEnded)
        resolve(report)
      }
      this.#reports.on(type, onAnswer).once('ended', onEnded)
    })
    this.#send(toCommand(id))
    return answer
  }
}
