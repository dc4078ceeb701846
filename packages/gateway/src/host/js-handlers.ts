import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { asgiToNode, fetchToNode, startLifespan, wsgiToNode } from '@havn/protocol'
import type {
  AsgiApp,
  FetchHandler,
  Lifespan,
  NodeTarget,
  ProtocolErrorCode,
  WebSocketServerLike,
  WsgiApp,
} from '@havn/protocol'
import { WebSocketServer } from 'ws'
import type { GatewayConfig } from '../config/gateway-config.ts'
import { hostErrors } from './errors.ts'
import { isFastify, isKoa } from './js-app.ts'
import type { JsApp } from './js-app.ts'
import { webSocketOptions } from './websocket-options.ts'

export type JsListener = (request: IncomingMessage, response: ServerResponse) => unknown
export type JsUpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => unknown

/** How requests reach an app. */
export type JsHandlers = {
  /** Closes the websockets that are known here, with 1012 (Service Restart). */
  closeWebSockets(): void
  /** Ends what the app started, once nothing is in flight. */
  shutdown(): Promise<void>
} & (
  | {
      /** The app takes node:http's own objects. */
      raw: true
      onRequest: JsListener
      onUpgrade: JsUpgradeListener | null
    }
  | {
      /** The app is called through a bridge, which reads the target. */
      raw: false
      onRequest(request: IncomingMessage, response: ServerResponse, target: NodeTarget): Promise<void>
      onUpgrade:
        ((request: IncomingMessage, socket: Duplex, head: Buffer, target: NodeTarget) => Promise<void>) | null
    }
)

export interface JsHandlersOptions {
  app: JsApp
  config: GatewayConfig
  /** Is told of what the app throws. */
  onError(error: unknown, request: IncomingMessage): void
}

const nothing = { closeWebSockets() {}, async shutdown() {} }

/**
 * Makes the app ready and says how to call it.
 *
 * @throws HAVN_ERR_APP_LIFESPAN, HAVN_ERR_APP_IMPORT where a Fastify plugin does not load
 */
export async function createJsHandlers({ app, config, onError }: JsHandlersOptions): Promise<JsHandlers> {
  if (app.interface === 'node') {
    const onUpgrade = typeof app.upgrade === 'function' ? (app.upgrade as JsUpgradeListener) : null
    return {
      ...nothing,
      raw: true,
      onRequest: await toListener(app.value),
      onUpgrade,
      ...closerOf(app.value),
    }
  }
  if (app.interface === 'fetch') {
    const onRequest = fetchToNode(app.value as FetchHandler, { onError })
    return { ...nothing, raw: false, onRequest, onUpgrade: null }
  }
  if (app.interface === 'wsgi') {
    const { bodyMemoryBytes } = config.limits
    const onRequest = wsgiToNode(app.value as WsgiApp, { bodyMemoryBytes, onError })
    return { ...nothing, raw: false, onRequest, onUpgrade: null }
  }
  const lifespan = await start(app.value as AsgiApp, config)
  const server = new WebSocketServer({ ...webSocketOptions(config.limits), clientTracking: true })
  const webSocketServer = server as unknown as WebSocketServerLike
  const handlers = asgiToNode(app.value as AsgiApp, { state: lifespan.state, webSocketServer, onError })
  return {
    ...handlers,
    raw: false,
    closeWebSockets() {
      for (const client of server.clients) client.close(1012)
    },
    shutdown: () => lifespan.shutdown(),
  }
}

async function toListener(value: unknown): Promise<JsListener> {
  if (isFastify(value)) {
    await value.ready()
    return value.routing as JsListener
  }
  return (isKoa(value) ? value.callback() : value) as JsListener
}

/** Fastify runs its onClose hooks: connections to databases end there. */
function closerOf(value: unknown): { shutdown?: () => Promise<void> } {
  if (!isFastify(value) || !('close' in value) || typeof value.close !== 'function') return {}
  const { close } = value
  return {
    async shutdown() {
      await close.call(value)
    },
  }
}

async function start(app: AsgiApp, { timeouts }: GatewayConfig): Promise<Lifespan> {
  try {
    const options = { startupTimeoutMs: timeouts.startMs, shutdownTimeoutMs: timeouts.drainMs }
    return await startLifespan(app, options)
  } catch (cause) {
    const known: ProtocolErrorCode[] = [
      'HAVN_ERR_ASGI_LIFESPAN_STARTUP_FAILED',
      'HAVN_ERR_ASGI_LIFESPAN_TIMEOUT',
    ]
    const { code, message } = cause as { code?: ProtocolErrorCode; message: string }
    if (code === undefined || !known.includes(code)) throw cause
    throw hostErrors.HAVN_ERR_APP_LIFESPAN({ reason: message }, { cause })
  }
}
