import { toErrorJson } from '@havn/model'
import { closeLogger, createLogger, createRequestObserver, runThreadShutdown } from '@havn/telemetry'
import { openCounters } from '../dispatch/counters.ts'
import { createThreadHost } from './create-host.ts'
import type { ThreadCommand, ThreadInput, ThreadReport } from './messages.ts'
import { openEdge } from './open-edge.ts'
import { createRequestFlow } from './request-flow.ts'
import { createThreadListeners } from './thread-listeners.ts'

/** Span exporters and their like may take this long at the end of a thread. */
const SHUTDOWN_MS = 2_000

/** Serves with one thread until it is drained: resolves after its last connection has ended. */
export async function runThread(input: ThreadInput): Promise<void> {
  const { config, port, thread } = input
  const report = (message: ThreadReport) => port.postMessage(message)
  const logger = createLogger({
    name: 'gateway',
    ...config.log,
    ...(config.threads > 1 && { fields: { thread } }),
  })
  const observer = createRequestObserver({ logger, access: config.log.access })
  const edge = await openEdge(config, { logger, traceHeaders: (request) => observer.traceHeaders(request) })
  const { host, status } = await createThreadHost(input, logger, report)
  const flow = createRequestFlow({ observer, edge, host, logger })
  const listeners = createThreadListeners({
    config,
    addresses: input.listeners,
    descriptors: input.descriptors,
    counters: openCounters(input.counters, thread),
    logger,
    handlers: flow,
    busySockets: () => flow.busySockets(),
  })

  const drained = Promise.withResolvers<void>()
  let draining: Promise<void> | null = null

  async function drain(): Promise<void> {
    // A connection whose last response has ended is idle only after that response's own events.
    flow.onResponseEnd = () => setImmediate(() => listeners.closeIdle())
    flow.drain()
    const connectionsEnded = listeners.drain()
    await host.drain()
    await connectionsEnded
  }

  async function end(): Promise<void> {
    await host.close()
    await edge?.close()
    for (const error of await runThreadShutdown(SHUTDOWN_MS)) {
      logger.warn({ err: toErrorJson(error) }, 'a part of this thread did not end well')
    }
    await closeLogger(logger)
    drained.resolve()
  }

  function startDrain(): void {
    draining ??= drain().then(end).catch(drained.reject)
  }

  async function listen(): Promise<void> {
    try {
      await listeners.listen()
      report({ type: 'listening' })
    } catch (error) {
      report({ type: 'failed', error: toErrorJson(error) })
    }
  }

  port.on('message', (command: ThreadCommand) => {
    switch (command.type) {
      case 'status':
        return report({ type: 'status', id: command.id, status: status() })
      case 'listen':
        return void listen()
      case 'drain':
        return startDrain()
      case 'close':
        startDrain()
        listeners.closeAll()
        void host.close().catch(drained.reject)
    }
  })
  report({ type: 'prepared' })
  await drained.promise
}
