import { ClientTable, createClientMemory, type ClientLimit } from '@havn/http'
import type { EdgeHandler, PluginLogger } from '@havn/plugin-api'
import { count, counter, type Counters } from '../dispatch/counters.ts'
import type { ThreadInput } from './messages.ts'

/** A flood is one line of the log in this time, not one a connection. */
const NOTICE_MS = 10_000

/** Makes what bounds the connections of each client, as the edge says, counted by all threads of this process. */
export function createClientLimit(options: {
  input: Pick<ThreadInput, 'clientMemory' | 'config' | 'thread'>
  edge: EdgeHandler | null
  counters: Counters
  logger: PluginLogger
}): ClientLimit {
  const { input, edge, counters, logger } = options
  const { clientMemory, config, thread } = input
  const table =
    clientMemory === undefined
      ? new ClientTable(createClientMemory(1, config.limits.maxConnections), { threads: 1, thread: 0 })
      : new ClientTable(clientMemory, { threads: config.threads, thread })
  let noticeAt = -NOTICE_MS
  let refused = 0

  return {
    table,
    max: () => edge?.connectionsPerClient?.() ?? null,
    onRefused(client) {
      count(counters, counter.refusedClients)
      refused += 1
      if (performance.now() - noticeAt < NOTICE_MS) return
      noticeAt = performance.now()
      logger.warn({ client, refused }, 'connections of a client beyond its limit are closed')
      refused = 0
    },
  }
}
