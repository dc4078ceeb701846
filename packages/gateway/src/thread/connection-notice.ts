import type { HavnError } from '@havn/model/errors'
import type { PluginLogger } from '@havn/plugin-api'

/** Many of one kind are one line of the log in this time, not one each. */
const NOTICE_MS = 10_000

/** Makes what tells of connections that were ended for one fault: a slow client, say. */
export function createConnectionNotice(logger: PluginLogger): (error: HavnError) => void {
  let noticeAt = -NOTICE_MS
  let untold = 0

  return ({ code, hint, message }) => {
    if (performance.now() - noticeAt < NOTICE_MS) {
      untold += 1
      return
    }
    noticeAt = performance.now()
    logger.warn({ code, hint, ...(untold > 0 && { others: untold }) }, message)
    untold = 0
  }
}
