import { beat, openCounters, readCounters } from '../dispatch/counters.ts'
import type { ThreadInput, ThreadReport } from './messages.ts'

/** Twice a second: a loop that is late by more than a few of them is blocked. */
export const heartbeatMs = 500

/**
 * Shows the gateway's main thread that this event loop turns: in memory that both share, and with a report
 * where this thread is a process of its own, which then also says what it has counted. Requests pay nothing for it.
 */
export function startHeartbeat(input: ThreadInput, report: (report: ThreadReport) => void): NodeJS.Timeout {
  const own = openCounters(input.counters, input.thread)
  const show = () => {
    beat(own)
    if (input.isProcess) report({ type: 'beat', counters: readCounters(input.counters) })
  }
  // From the first beat on it is watched.
  show()
  return setInterval(show, heartbeatMs).unref()
}
