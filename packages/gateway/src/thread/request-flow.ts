import type { ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import {
  clientSocketOf,
  sendError,
  setErrorContext,
  type ErrorContext,
  type ListenerHandlers,
  type PlainExchange,
  type RequestTarget,
} from '@havn/http'
import { toErrorJson } from '@havn/model/errors'
import type { EdgeHandler, PluginLogger } from '@havn/plugin-api'
import { REQUEST_ID_HEADER, type RequestObserver } from '@havn/telemetry'
import type { Host } from '../host/host.ts'
import { ObservedPlainRequest, type PlainRequestHooks } from './observed-plain-request.ts'

export interface RequestFlowOptions {
  observer: RequestObserver
  edge: EdgeHandler | null
  host: Host
  logger: PluginLogger
  /** Each response names its request's id. */
  returnsId: boolean
}

/** A request's way through a thread: observed, then the edge's, or else the app's. */
export interface RequestFlow extends ListenerHandlers {
  /** From now on each response ends its connection, those in flight included. */
  drain(): void
  /** Connections that have a request, or were upgraded. */
  busySockets(): Set<Duplex>
}

/** Creates the flow that all listeners of a thread share. */
export function createRequestFlow(options: RequestFlowOptions): RequestFlow {
  const { observer, edge, host, logger, returnsId } = options
  const responses = new Set<ServerResponse>()
  const upgraded = new Set<Duplex>()
  const plainRequests = new Set<ObservedPlainRequest>()
  let draining = false

  function onClose(this: ServerResponse): void {
    responses.delete(this)
  }

  function fail(target: RequestTarget, error: unknown): void {
    logger.error({ err: toErrorJson(error), path: target.path }, 'the edge failed at a request')
  }

  function servePlain(exchange: PlainExchange): boolean {
    const wanted = edge !== null && (edge.wants?.(exchange.target) ?? true)
    if (wanted === true || (!wanted && !host.takesPlain)) return false
    if (draining) exchange.closes = true
    const record = observer.beginPlain(exchange, exchange.target)
    if (returnsId) exchange.addedHead = `${REQUEST_ID_HEADER}: ${record.id}\r\n`
    const request = new ObservedPlainRequest(exchange, record, plainHooks)
    plainRequests.add(request)
    if (wanted) handleInEdge(request)
    else host.handle(request)
    return true
  }

  function handleInEdge(request: ObservedPlainRequest): void {
    try {
      edge!.handlePlain!(request)
    } catch (error) {
      fail(request.target, error)
      const { exchange } = request
      if (exchange.isOver) return
      if (exchange.hasResponse && exchange.response.headersSent) exchange.socket.destroy()
      else sendError(exchange.response, 500, { close: true })
    }
  }

  const errorContext: ErrorContext = {
    requestId: (request) => observer.recordOf(request)?.id,
    page: (status) => edge?.errorPage?.(status) ?? null,
  }

  const plainHooks: PlainRequestHooks = {
    onResponse(response, record) {
      observer.adopt(response.req, record)
      setErrorContext(response, errorContext)
    },
    onEnd(request, aborted) {
      plainRequests.delete(request)
      observer.endPlain(request.record, request.exchange, aborted)
    },
  }

  const flow: RequestFlow = {
    ...((host.takesPlain || edge?.handlePlain !== undefined) && { plain: servePlain }),

    request(request, response, target) {
      responses.add(response)
      response.on('close', onClose)
      if (draining) response.shouldKeepAlive = false
      const record = observer.begin(request, response, target)
      setErrorContext(response, errorContext)
      if (returnsId) response.setHeader(REQUEST_ID_HEADER, record.id)
      try {
        if (edge?.handle(request, response, target)) return
      } catch (error) {
        fail(target, error)
        if (response.headersSent) response.destroy()
        else sendError(response, 500, { close: true })
        return
      }
      observer.runWithin(request, () => host.handle({ request, response, target, record, plain: null }))
    },

    upgrade(request, socket, head, target) {
      upgraded.add(socket)
      socket.once('close', () => upgraded.delete(socket))
      const record = observer.beginUpgrade(request, socket, target)
      try {
        if (edge?.upgrade?.(request, socket, head, target)) return
      } catch (error) {
        fail(target, error)
        socket.destroy()
        return
      }
      observer.runWithin(request, () => host.upgrade({ request, socket, head, target, record }))
    },

    busySockets: () =>
      new Set([
        ...[...upgraded, ...[...responses].map(({ req }) => req.socket)].map(clientSocketOf),
        ...[...plainRequests].map(({ exchange }) => exchange.socket),
      ]),

    drain() {
      draining = true
      for (const response of responses) response.shouldKeepAlive = false
      for (const { exchange } of plainRequests) exchange.closes = true
    },
  }
  return flow
}
