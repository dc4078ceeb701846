import type { IncomingMessage, ServerResponse } from 'node:http'
import { answerInstead, endOverdue, sendError } from '@havn/http'
import type { PluginLogger } from '@havn/plugin-api'
import type { RequestRecord } from '@havn/telemetry'
import type { GatewayConfig } from '../config/gateway-config.ts'
import { count, counter, openCounters } from '../dispatch/counters.ts'
import type { Counters } from '../dispatch/counters.ts'
import { reportAppError } from './app-error.ts'
import { hostErrors } from './errors.ts'
import type { Exchange, Host, UpgradeExchange } from './host.ts'
import { loadJsApp } from './js-app.ts'
import { createJsHandlers } from './js-handlers.ts'
import type { JsHandlers } from './js-handlers.ts'
import { limitUpload } from './limit-upload.ts'
import { noteRefusedBody } from './refused-body.ts'
import { refuseUpgrade } from './refuse-upgrade.ts'
import { requestBodySize, unknownSize } from './request-body-size.ts'
import { cleanRequest, withTrace } from './request-cleaning.ts'
import { RouteLimits } from './route-limits.ts'
import { noteUpgradeStatus } from './upgrade-status.ts'

export interface JsHostOptions {
  config: GatewayConfig
  /** From `createCounters`. */
  counters: SharedArrayBuffer
  /** This thread's row of the counters; 0 when left out. */
  thread?: number
  logger: PluginLogger
}

/** The record of a request that runs, for what the app throws later. */
const recordOf = Symbol('record')
const hostOf = Symbol('host')
const tooLarge = 'HAVN_ERR_REQUEST_BODY_TOO_LARGE'
const deadlineOf = Symbol('deadline')
type OwnRequest = IncomingMessage & { [recordOf]?: RequestRecord }
type OwnResponse = ServerResponse & { [hostOf]?: JsHost | undefined; [deadlineOf]?: NodeJS.Timeout }
type OwnExchange = Pick<Exchange, 'target' | 'record'> & { request: OwnRequest; response: OwnResponse }

/**
 * Runs a JavaScript app in this thread: `fetch` handlers, node:http listeners, Express, Fastify and Koa apps, and
 * ASGI and WSGI apps.
 *
 * @throws HAVN_ERR_APP_IMPORT, HAVN_ERR_APP_NOT_CALLABLE, HAVN_ERR_APP_LIFESPAN
 */
export async function createJsHost(options: JsHostOptions): Promise<Host> {
  const { config, logger } = options
  if (config.app.language !== 'node') throw new TypeError('The app is not a JavaScript app.')
  const app = await loadJsApp(config.app)
  const handlers = await createJsHandlers({
    app,
    config,
    onError(error, request) {
      const record = (request as OwnRequest)[recordOf]
      if (record?.error !== tooLarge) reportAppError(logger, error, record)
    },
  })
  return new JsHost(options, handlers)
}

class JsHost implements Host {
  // Its apps are written for the objects of node:http.
  readonly takesPlain = false
  readonly #handlers: JsHandlers
  readonly #counters: Counters
  readonly #logger: PluginLogger
  readonly #maxBodyBytes: number
  readonly #limits: GatewayConfig['timeouts']
  readonly #routes: RouteLimits | null
  #active = 0
  #draining = false
  #closed = false
  #drained = false
  #onIdle: (() => void) | null = null

  constructor({ config, counters, thread, logger }: JsHostOptions, handlers: JsHandlers) {
    this.#handlers = handlers
    this.#counters = openCounters(counters, thread)
    this.#logger = logger
    this.#maxBodyBytes = config.limits.maxBodyBytes
    this.#limits = config.timeouts
    this.#routes = RouteLimits.create(config)
  }

  handle(exchange: Exchange): void {
    const { request, response, target, record } = exchange
    count(this.#counters, counter.requests)
    if (this.#closed) return sendError(response, 503, { close: true })
    this.#begin(exchange)
    if (requestBodySize(request.rawHeaders) === unknownSize) this.#limit(exchange)
    const handlers = this.#handlers
    if (!handlers.raw) {
      void handlers.onRequest(request, response, withTrace(target, record))
      return
    }
    cleanRequest(request, target, record)
    try {
      const returned = handlers.onRequest(request, response)
      if (isPromise(returned)) returned.then(undefined, (error) => this.#fail(error, response, record))
    } catch (error) {
      this.#fail(error, response, record)
    }
  }

  upgrade({ request, socket, head, target, record }: UpgradeExchange): void {
    count(this.#counters, counter.requests)
    const handlers = this.#handlers
    if (this.#closed) return refuseUpgrade(socket, 503)
    if (handlers.onUpgrade === null) return this.#refuseUpgrade({ request, socket, head, target, record })
    const own: OwnRequest = request
    own[recordOf] = record
    this.#active += 1
    count(this.#counters, counter.webSockets)
    socket.on('error', () => socket.destroy())
    socket.once('close', () => this.#endUpgrade())
    noteUpgradeStatus(socket, record)
    if (!handlers.raw) {
      void handlers.onUpgrade(request, socket, head, withTrace(target, record))
      return
    }
    cleanRequest(request, target, record)
    try {
      const returned = handlers.onUpgrade(request, socket, head)
      if (isPromise(returned)) returned.then(undefined, (error) => this.#failUpgrade(error, socket, record))
    } catch (error) {
      this.#failUpgrade(error, socket, record)
    }
  }

  async drain(): Promise<void> {
    this.#draining = true
    this.#handlers.closeWebSockets()
    if (this.#active > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve))
    this.#drained = true
  }

  /** After a drain the app ends what it started first: its lifespan, or its own close. */
  async close(): Promise<void> {
    const gentle = this.#drained && !this.#closed
    this.#closed = true
    this.#onIdle?.()
    if (!gentle) return
    try {
      await this.#handlers.shutdown()
    } catch (error) {
      this.#logger.error({ err: error }, 'The app did not shut down cleanly.')
    }
  }

  /** The response is over, sent or not. */
  settle(response: OwnResponse): void {
    clearTimeout(response[deadlineOf])
    count(this.#counters, counter.inFlight, -1)
    if (!response.writableFinished) count(this.#counters, counter.cancelled)
    this.#end()
  }

  /** Its deadline has passed. A loop that is blocked comes to this late. */
  expire(response: OwnResponse, timeoutMs: number): void {
    const record = (response.req as OwnRequest)[recordOf]!
    const error = hostErrors.HAVN_ERR_REQUEST_DEADLINE({ timeoutMs })
    record.error = error.code
    if (!response.headersSent) record.status = error.status
    this.#logger.warn({ code: error.code, request: record.id, hint: error.hint }, error.message)
    count(this.#counters, counter.failed)
    count(this.#counters, counter.inFlight, -1)
    // It is settled: that its response ends unfinished is not the client's doing.
    response[hostOf] = undefined
    endOverdue(response)
    this.#end()
  }

  #begin({ request, response, target, record }: OwnExchange): void {
    request[recordOf] = record
    response[hostOf] = this
    response.on('close', onResponseClose)
    if (this.#draining) response.shouldKeepAlive = false
    const { requestMs } = this.#routes === null ? this.#limits : this.#routes.find(target.method, target.path)
    if (requestMs > 0) response[deadlineOf] = setTimeout(onDeadline, requestMs, response, requestMs)
    this.#active += 1
    count(this.#counters, counter.inFlight)
  }

  /** A body whose length is known has been measured by the listener. */
  #limit({ request, response, target, record }: OwnExchange): void {
    const limitBytes = target.maxBodyBytes ?? this.#maxBodyBytes
    limitUpload(request, limitBytes, () => {
      const error = hostErrors.HAVN_ERR_REQUEST_BODY_TOO_LARGE({ limitBytes })
      record.error = error.code
      noteRefusedBody(error, record, this.#counters)
      this.#logger.warn({ code: error.code, request: record.id, hint: error.hint }, error.message)
      answerInstead(response, error.status ?? 413)
      return error
    })
  }

  #fail(error: unknown, response: ServerResponse, record: RequestRecord): void {
    // An app that stumbles over an answer in its place has done nothing wrong.
    if (record.error === tooLarge) return
    reportAppError(this.#logger, error, record)
    count(this.#counters, counter.failed)
    if (!response.writableEnded && !response.destroyed) sendError(response, 500)
  }

  #failUpgrade(error: unknown, socket: UpgradeExchange['socket'], record: RequestRecord): void {
    reportAppError(this.#logger, error, record)
    count(this.#counters, counter.failed)
    socket.destroy()
  }

  #refuseUpgrade({ socket, record }: UpgradeExchange): void {
    const error = hostErrors.HAVN_ERR_REQUEST_UPGRADE({ reason: 'it has nothing that takes them' })
    record.error = error.code
    record.status = error.status
    refuseUpgrade(socket, error.status ?? 501)
  }

  #endUpgrade(): void {
    count(this.#counters, counter.webSockets, -1)
    this.#end()
  }

  #end(): void {
    this.#active -= 1
    if (this.#active === 0) this.#onIdle?.()
  }
}

/** One listener for all responses: no closure a request. */
function onResponseClose(this: OwnResponse): void {
  this[hostOf]?.settle(this)
}

function onDeadline(response: OwnResponse, timeoutMs: number): void {
  response[hostOf]?.expire(response, timeoutMs)
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}
