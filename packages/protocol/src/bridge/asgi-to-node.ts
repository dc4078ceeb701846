import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { AsgiApp } from '../asgi/events.ts'
import { describe, isDisconnected, ProtocolError } from '../errors.ts'
import { AsgiHttpExchange } from '../node/asgi-http.ts'
import { serveWebSocket } from '../node/asgi-websocket.ts'
import { createHttpScope, createWebSocketScope, type ScopeSettings } from '../node/scope.ts'
import { toNodeTarget, type NodeTarget } from '../node/target.ts'
import { createWebSocketUpgrader, type WebSocketServerLike } from '../node/websocket-server.ts'
import { reportToConsole, type ErrorReporter } from './report.ts'

/** How an ASGI app is served. */
export interface AsgiToNodeOptions {
  /** Where the app is mounted: `root_path` of every scope. `/blog`, or empty. */
  rootPath?: string
  /** The namespace of the lifespan; every scope gets a shallow copy. */
  state?: Record<string, unknown>
  /** `new WebSocketServer({ noServer: true })` of the package `ws`, or its like. Without it upgrades get 501. */
  webSocketServer?: WebSocketServerLike
  /** Is told of what the app throws and does wrong; the default writes to the console. */
  onError?: ErrorReporter
}

/** Listeners for a node:http server. */
export interface NodeHandlers {
  /**
   * For the `request` event. Resolves when the app has returned; never rejects. A server that has normalised the
   * request itself passes what it found as `target`.
   */
  onRequest(request: IncomingMessage, response: ServerResponse, target?: NodeTarget): Promise<void>
  /** For the `upgrade` event, likewise. */
  onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, target?: NodeTarget): Promise<void>
}

/**
 * Serves an ASGI app (http and websocket scopes; see `startLifespan` for the third) on node:http, streaming both
 * ways: `receive` reads only as the app asks, `send` resolves only as the client takes.
 *
 * @example
 * const { onRequest, onUpgrade } = asgiToNode(app, { webSocketServer: new WebSocketServer({ noServer: true }) })
 * createServer().on('request', onRequest).on('upgrade', onUpgrade).listen(8000)
 */
export function asgiToNode(app: AsgiApp, options: AsgiToNodeOptions = {}): NodeHandlers {
  const settings: ScopeSettings = { rootPath: options.rootPath ?? '', state: options.state }
  const onError = options.onError ?? reportToConsole
  const upgrade = options.webSocketServer && createWebSocketUpgrader(options.webSocketServer)

  const onRequest: NodeHandlers['onRequest'] = async (request, response, target = toNodeTarget(request)) => {
    const exchange = new AsgiHttpExchange(request, response)
    try {
      const scope = createHttpScope(request, target, settings)
      const returned: unknown = app(scope, exchange.receive, exchange.send)
      if (typeof (returned as PromiseLike<void> | undefined)?.then !== 'function') {
        throw new ProtocolError('HAVN_ERR_ASGI_APP_NOT_ASYNC', describe(returned))
      }
      await returned
      if (!exchange.complete && !exchange.disconnected) throw unfinished(exchange.started)
    } catch (error) {
      if (!isDisconnected(error)) onError(error, request)
      exchange.fail()
    }
  }

  const onUpgrade: NodeHandlers['onUpgrade'] = async (
    request,
    socket,
    head,
    target = toNodeTarget(request),
  ) => {
    const scope = createWebSocketScope(request, target, settings)
    await serveWebSocket({ app, scope, request, socket, head, upgrade, onError })
  }

  return { onRequest, onUpgrade }
}

function unfinished(started: boolean): ProtocolError {
  return started
    ? new ProtocolError('HAVN_ERR_ASGI_RESPONSE_INCOMPLETE', 'it returned after http.response.start')
    : new ProtocolError('HAVN_ERR_ASGI_RESPONSE_MISSING', 'it returned without http.response.start')
}
