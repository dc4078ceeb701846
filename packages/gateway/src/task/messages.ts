import type { IncomingHttpHeaders } from 'node:http'
import type { RequestTarget } from '@havn/http'
import type { ErrorJson } from '@havn/model/errors'
import type { GatewayConfig } from '../config/gateway-config.ts'

/** What a thread that runs tasks is made with. */
export interface TaskThreadData {
  config: GatewayConfig
}

/** A request, whole. */
export interface TaskRequest {
  method: string
  url: string
  httpVersion: string
  headers: IncomingHttpHeaders
  rawHeaders: string[]
  target: RequestTarget
  remoteAddress: string | undefined
  remotePort: number | undefined
  /** The request's id and trace context. */
  trace: { id: string; traceparent?: string; tracestate?: string }
  /** Null for none; a path where it was too large for memory. */
  body: Uint8Array<ArrayBuffer> | string | null
}

/** A response, whole. */
export interface TaskResponse {
  status: number
  statusMessage: string
  /** Names and values in turn. */
  headers: string[]
  body: Uint8Array
}

/** What came of a request. */
export interface TaskResult {
  /** Null when the app broke its response off. */
  response: TaskResponse | null
  /** The code of an error that the app threw; it is in the log already. */
  error?: string
}

/** What a thread is asked to do: `start` loads the app, `end` ends what the app started. */
export type TaskInput = 'start' | 'end' | TaskRequest

/** For `start` and `end`: what failed, or null. */
export type TaskOutput = TaskResult | ErrorJson | null
