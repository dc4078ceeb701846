import type { Socket } from 'node:net'
import type { PluginLogger } from '@havn/plugin-api'
import { count, counter, totalOf, type Counters } from '../dispatch/counters.ts'

/** A flood is one line of the log in this time, not one a connection. */
const NOTICE_MS = 10_000

/** Makes what counts connections, and closes those beyond the limit, which holds for all threads together. */
export function createConnectionLimit(options: {
  counters: Counters
  maxConnections: number
  logger: PluginLogger
}): (socket: Socket) => void {
  const { counters, maxConnections, logger } = options
  let noticeAt = -NOTICE_MS

  return (socket) => {
    count(counters, counter.connections)
    socket.once('close', () => count(counters, counter.connections, -1))
    if (totalOf(counters, counter.connections) <= maxConnections) return
    count(counters, counter.refusedConnections)
    socket.destroy()
    if (performance.now() - noticeAt < NOTICE_MS) return
    noticeAt = performance.now()
    logger.warn({ maxConnections }, 'connections beyond the limit are closed')
  }
}
