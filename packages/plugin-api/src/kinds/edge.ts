import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { RequestTarget } from '@havn/http'
import type { PluginLogger } from '../plugin.ts'

/** What an edge module is given in each thread. */
export interface EdgeContext {
  logger: PluginLogger
  /** Request id and trace context to send on, as header names and values in turn. */
  traceHeaders(request: IncomingMessage): readonly string[]
}

/** Handles requests before the app does, in the thread that accepted them. */
export interface EdgeHandler {
  /**
   * False when the request is the app's whatever its method and headers are: it need not come to {@link handle} then,
   * and costs less. Absent, every request comes.
   */
  wants?(target: RequestTarget): boolean
  /** Returns false, having touched nothing, when the request is the app's. */
  handle(request: IncomingMessage, response: ServerResponse, target: RequestTarget): boolean
  /** The same for an Upgrade request. */
  upgrade?(request: IncomingMessage, socket: Duplex, head: Buffer, target: RequestTarget): boolean
  close(): Promise<void>
}

/**
 * What the module that a gateway loads as its edge exports: functions don't cross threads, so the gateway's
 * configuration names it as { module, JSON config }.
 */
export interface EdgeModule {
  createEdge(config: unknown, context: EdgeContext): EdgeHandler | Promise<EdgeHandler>
}
