import type { FailureReason } from '@havn/model'
import { toErrorJson } from '@havn/model/errors'
import type { SupervisedEvent } from '@havn/process'
import type { Logger } from '@havn/telemetry'
import { errors } from './errors.ts'

/** So many deaths in a row are no accident. */
const LOOP_FAILURES = 5

export interface RestartLogOptions {
  logger: Logger
  /** For sentences: `Worker 3`. */
  name: string
  /** For each line. */
  fields?: object
}

/** Tells of restarts: each as a warning; once it is a loop, as an error with how often, why, and what to do. */
export class RestartLog {
  readonly #options: RestartLogOptions
  #last: FailureReason | null = null

  constructor(options: RestartLogOptions) {
    this.#options = options
  }

  /** How it ended last, or why it did not start. */
  get last(): FailureReason | null {
    return this.#last
  }

  /** It ended, or did not start. */
  note(reason: FailureReason): void {
    this.#last = reason
  }

  /** It did not start: what it says of it tells more than its end. */
  noteError(error: unknown): void {
    const { code, message } = toErrorJson(error)
    this.note({ code, message })
  }

  onRestarting({
    delayMs,
    restarts,
    failures,
    withinMs,
  }: Extract<SupervisedEvent, { type: 'restarting' }>): void {
    const { logger, name, fields } = this.#options
    if (failures < LOOP_FAILURES) {
      logger.warn({ ...fields, delayMs, restarts }, `${name} is started again`)
      return
    }
    const reason = this.#last === null ? 'nothing is known of it' : describeReason(this.#last)
    const error = errors.HAVN_ERR_GATEWAY_CRASH_LOOP({ name, failures, withinMs, reason, delayMs })
    const seen = { delayMs, restarts, failures, withinMs, lastFailure: this.#last, err: toErrorJson(error) }
    logger.error({ event: 'process.crash-loop', ...fields, ...seen }, `${name} does not stay up`)
  }
}

function describeReason({ code, message }: FailureReason): string {
  return code === undefined ? message : `${code}: ${message}`
}
