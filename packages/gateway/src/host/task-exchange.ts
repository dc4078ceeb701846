import { sendError } from '@havn/http'
import type { HavnError } from '@havn/model/errors'
import type { PluginLogger } from '@havn/plugin-api'
import type { GatewayConfig } from '../config/gateway-config.ts'
import { count, counter } from '../dispatch/counters.ts'
import type { Counters } from '../dispatch/counters.ts'
import type { Dispatcher, Job, Refusal } from '../dispatch/dispatcher.ts'
import type { Waiting } from '../dispatch/waiting-list.ts'
import type { TaskRequest, TaskResponse, TaskResult } from '../task/messages.ts'
import type { TaskWorker } from '../task/task-worker.ts'
import { BodyCollector, bodyFaultStatus } from './collected-body.ts'
import type { CollectedBody } from './collected-body.ts'
import { hostErrors } from './errors.ts'
import type { Exchange } from './host.ts'
import type { OverloadNotice } from './overload-notice.ts'
import { isOverload, refusalError, retryAfterS } from './queue-refusal.ts'
import { noteRefusedBody } from './refused-body.ts'
import { requestBodySize } from './request-body-size.ts'
import type { RouteLimits } from './route-limits.ts'

/** What all requests of one task host share. */
export interface TaskContext {
  readonly dispatcher: Dispatcher<TaskWorker>
  readonly counters: Counters
  readonly logger: PluginLogger
  readonly overload: OverloadNotice
  readonly limits: GatewayConfig['limits']
  readonly timeouts: GatewayConfig['timeouts']
  /** Limits of single routes; null where there are none. */
  readonly routes: RouteLimits | null
  readonly draining: boolean
  /** A new path for a request's body. */
  spoolPath(): string
  /** A request is over, its client gone or answered. */
  onSettled(): void
}

/** One request: read whole, then a task, then answered whole. */
export class TaskExchange implements Job<TaskWorker> {
  previousWaiting: Waiting | null = null
  nextWaiting: Waiting | null = null
  waitingSince = 0
  readonly maxQueueMs: number
  readonly #requestMs: number
  readonly #exchange: Exchange
  readonly #context: TaskContext
  #collector: BodyCollector | null = null
  #body: TaskRequest['body'] = null
  #isRunning = false

  constructor(exchange: Exchange, context: TaskContext) {
    const { routes, timeouts } = context
    const { method, path } = exchange.target
    const { requestMs, queueMs } = routes === null ? timeouts : routes.find(method, path)
    this.#exchange = exchange
    this.#context = context
    this.#requestMs = requestMs
    this.maxQueueMs = queueMs
  }

  start(): void {
    const { request, response, target } = this.#exchange
    const { dispatcher, limits } = this.#context
    const limitBytes = target.maxBodyBytes ?? limits.maxBodyBytes
    response.on('close', () => this.#onClose())
    const size = requestBodySize(request.rawHeaders)
    if (size === 0) return dispatcher.submit(this)
    if (size > limitBytes) return this.#fault(hostErrors.HAVN_ERR_REQUEST_BODY_TOO_LARGE({ limitBytes }))
    this.#collector = new BodyCollector({
      request,
      memoryBytes: limits.bodyMemoryBytes,
      maxBytes: limitBytes,
      spoolPath: () => this.#context.spoolPath(),
      onBody: (body) => this.#submit(body),
      onFault: (error) => this.#fault(error),
    })
  }

  begin(worker: TaskWorker, queueMs: number): void {
    const { record } = this.#exchange
    record.queueMs = queueMs
    record.worker = worker.worker
    this.#isRunning = true
    void this.#run(worker, performance.now())
  }

  refuse(why: Refusal): void {
    this.#fault(refusalError(why, this.#context, this.maxQueueMs), { 'Retry-After': String(retryAfterS) })
  }

  #submit({ bytes, chunks, file }: CollectedBody): void {
    if (file !== null) this.#body = file
    else if (bytes > 0) this.#body = joined(chunks, bytes)
    this.#context.dispatcher.submit(this)
  }

  async #run(worker: TaskWorker, begunAt: number): Promise<void> {
    const timeoutMs = this.#requestMs
    const deadline = timeoutMs === 0 ? null : new AbortController()
    const timer = deadline === null ? undefined : setTimeout(() => deadline.abort(), timeoutMs)
    try {
      const result = await worker.run(this.#toTask(), deadline?.signal ?? null)
      this.#exchange.record.appMs = performance.now() - begunAt
      this.#settle(result)
    } catch {
      this.#fault(
        deadline?.signal.aborted
          ? hostErrors.HAVN_ERR_REQUEST_DEADLINE({ timeoutMs })
          : hostErrors.HAVN_ERR_HOST_LOST({ worker: worker.worker }),
      )
    } finally {
      clearTimeout(timer)
      this.#collector?.release()
      this.#context.dispatcher.finished(worker)
    }
  }

  #toTask(): TaskRequest {
    const { request, target, record } = this.#exchange
    const { id, traceparent, tracestate } = record
    const body = this.#body
    // It moves to the other thread.
    this.#body = null
    return {
      method: request.method ?? 'GET',
      url: request.url ?? '/',
      httpVersion: request.httpVersion,
      headers: request.headers,
      rawHeaders: request.rawHeaders,
      target,
      remoteAddress: request.socket.remoteAddress,
      remotePort: request.socket.remotePort,
      trace: { id, ...(traceparent && { traceparent }), ...(tracestate && { tracestate }) },
      body,
    }
  }

  #settle({ response, error }: TaskResult): void {
    if (error === undefined) {
      if (response === null) this.#fault(hostErrors.HAVN_ERR_HOST_BROKE_OFF({}))
      else this.#answer(response)
      return
    }
    this.#exchange.record.error = error
    count(this.#context.counters, counter.failed)
    // What it had begun has not gone out.
    if (response === null) this.#sendError(500)
    else this.#answer(response)
  }

  #answer({ status, statusMessage, headers, body }: TaskResponse): void {
    const { response } = this.#exchange
    if (response.destroyed) return
    if (this.#context.draining) response.shouldKeepAlive = false
    response.statusCode = status
    response.statusMessage = statusMessage
    for (let n = 0; n < headers.length; n += 2) {
      response.appendHeader(headers[n] as string, headers[n + 1] as string)
    }
    if (body.length > 0) response.end(body)
    else response.end()
  }

  /** Ends the request for a reason of ours. */
  #fault(error: HavnError, headers: Record<string, string> = {}): void {
    const { response, record } = this.#exchange
    record.error = error.code
    noteRefusedBody(error, record, this.#context.counters)
    if (response.destroyed) return
    const status = bodyFaultStatus(error)
    if (status >= 500) this.#report(error)
    this.#sendError(status, headers)
  }

  #report(error: HavnError): void {
    const { record } = this.#exchange
    const { counters, logger, overload } = this.#context
    count(counters, counter.failed)
    if (isOverload(error)) return overload.note(error)
    const { code, hint } = error
    logger.error({ code, request: record.id, worker: record.worker, hint }, error.message)
  }

  #sendError(status: number, headers: Record<string, string> = {}): void {
    const { request, response } = this.#exchange
    if (response.destroyed) return
    const unread = requestBodySize(request.rawHeaders) !== 0 && !request.readableEnded
    sendError(response, status, { headers, close: unread || this.#context.draining })
  }

  #onClose(): void {
    const { response } = this.#exchange
    const { dispatcher, counters } = this.#context
    if (!response.writableFinished) count(counters, counter.cancelled)
    dispatcher.cancel(this)
    // One that runs goes on, as it may have begun to change things: it keeps its body until it ends.
    if (!this.#isRunning) this.#collector?.release()
    this.#context.onSettled()
  }
}

/** In memory of its own size, since all of it moves to the other thread. */
function joined(chunks: readonly Buffer[], length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}
