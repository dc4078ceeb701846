import { createPeerTrust } from '@havn/http'
import { toErrorJson } from '@havn/model/errors'
import {
  closeLogger,
  createLogger,
  createRequestObserver,
  isLocalPeer,
  observeRefusals,
  runThreadShutdown,
} from '@havn/telemetry'
import { count, counter, openCounters, readCounters } from '../dispatch/counters.ts'
import { countRefusal, readRefusals } from './count-refusal.ts'
import { answerChallenges } from './answer-challenges.ts'
import { createClientLimit } from './client-limit.ts'
import { createThreadHost } from './create-host.ts'
import { ThreadApp } from './edge-app.ts'
import { createHealthProbe } from './health-probe.ts'
import { startHeartbeat } from './heartbeat.ts'
import type { ThreadCommand, ThreadInput, ThreadReport, ThreadStatus } from './messages.ts'
import { publicHttpsPort } from '../config/door.ts'
import { createHttpsRedirect } from './https-redirect.ts'
import { openEdge, updateEdge } from './open-edge.ts'
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
  const { access, accessQuery } = config.log
  const isTrusted = createPeerTrust(config.trustedProxies)
  const observer = await createRequestObserver({
    logger,
    access,
    accessQuery,
    idHeader: config.requestId.header,
    trustIncoming: (peer) => isLocalPeer(peer) || isTrusted(peer.socket.remoteAddress ?? 'gone'),
  })
  const counters = openCounters(input.counters, thread)
  await observeRefusals(() => readRefusals(counters))
  const app = new ThreadApp(observer)
  const edge = await openEdge(config, {
    logger,
    app,
    traceHeaders: (request) => observer.traceHeaders(request),
    notes: (request) => observer.recordOf(request),
    onRefused: (reason) => count(counters, reason === 'rate' ? counter.refusedRates : counter.refusedBodies),
    ...(input.edgeMemory !== undefined && { sharedMemory: input.edgeMemory }),
  })
  const { host, python, status } = await createThreadHost(input, logger, report)
  const flowOptions = { observer, host, logger, returnsId: config.requestId.return }
  const { challengeDirectory } = config.tls ?? {}
  const first = challengeDirectory === undefined ? edge : answerChallenges(edge, challengeDirectory)
  const flow = createRequestFlow({ ...flowOptions, edge: first })
  app.become(host)
  const redirect = config.tls && createHttpsRedirect(first, publicHttpsPort(input.doors, config.tls))
  const redirectFlow = redirect && createRequestFlow({ ...flowOptions, edge: redirect })
  const flows = redirectFlow === undefined ? [flow] : [flow, redirectFlow]
  const listeners = createThreadListeners({
    config,
    doors: input.doors,
    tls: input.tls,
    descriptors: input.descriptors,
    counters,
    logger,
    limitsOf: edge?.limitsOf && ((target) => edge.limitsOf!(target)),
    onRejected(reason, _status, refused) {
      countRefusal(counters, reason)
      if (refused === undefined) return
      const { request, response, target } = refused
      observer.begin(request, response, target)
    },
    clientLimit: createClientLimit({ input, edge, counters, logger }),
    handlersOf: ({ speaks }) => (speaks === 'redirect' ? (redirectFlow ?? flow) : flow),
    busySockets: () => new Set(flows.flatMap((one) => [...one.busySockets()])),
  })

  const probe = createHealthProbe({ input, host, python, logger })

  const drained = Promise.withResolvers<void>()
  let draining: Promise<void> | null = null

  async function drain(): Promise<void> {
    for (const one of flows) one.drain()
    const connectionsEnded = listeners.drain()
    report({ type: 'draining' })
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

  function threadStatus(): ThreadStatus {
    return {
      ...status(),
      edge: edge?.status?.() ?? null,
      ...(input.isProcess && { counters: readCounters(input.counters) }),
    }
  }

  port.on('message', (command: ThreadCommand) => {
    switch (command.type) {
      case 'status':
        return report({ type: 'status', id: command.id, status: threadStatus() })
      case 'listen':
        return void listen()
      case 'probe':
        return void probe(command.instance).then((outcome) =>
          report({ type: 'probed', id: command.id, ...outcome }),
        )
      case 'edge':
        return void updateEdge(edge, command.config).then((outcome) =>
          report({ type: 'edge-updated', id: command.id, outcome }),
        )
      case 'tls':
        return listeners.updateTls(command.tls)
      case 'expect':
        return python?.expect(command.process)
      case 'admit':
        return python?.admit(command.instance)
      case 'retire':
        return python?.retire(command.instance)
      case 'drain':
        return startDrain()
      case 'close':
        startDrain()
        listeners.closeAll()
        void host.close().catch(drained.reject)
    }
  })
  report({ type: 'prepared' })
  // Only an app that runs here can block this loop.
  const heartbeat = config.app.language === 'node' ? startHeartbeat(input, report) : undefined
  await drained.promise
  clearInterval(heartbeat)
}
