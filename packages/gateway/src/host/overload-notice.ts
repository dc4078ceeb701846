import type { HavnError } from '@havn/model/errors'
import type { PluginLogger } from '@havn/plugin-api'

/** Overload is one line of the log in this time, not one a request: the log must not add to it. */
const noticeMs = 1_000

/** Logs that requests are refused, with how many were since the line before. */
export class OverloadNotice {
  readonly #logger: PluginLogger
  readonly #byCode = new Map<string, { noticedAt: number; refused: number }>()

  constructor(logger: PluginLogger) {
    this.#logger = logger
  }

  note(error: HavnError): void {
    const { code, hint, message } = error
    const now = performance.now()
    const known = this.#byCode.get(code) ?? { noticedAt: -noticeMs, refused: 0 }
    this.#byCode.set(code, known)
    known.refused += 1
    if (now - known.noticedAt < noticeMs) return
    this.#logger.warn({ code, hint, refused: known.refused }, message)
    known.noticedAt = now
    known.refused = 0
  }
}
