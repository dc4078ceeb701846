import type { IncomingMessage, ServerResponse } from 'node:http'

/** What errors of a response can say, beside their status. */
export interface ErrorContext {
  /** The id by which logs name the request. */
  requestId(request: IncomingMessage): string | undefined
  /** A page of the site's own, HTML, for a status; null where it has none. */
  page(status: number): Buffer | null
}

const context = Symbol('havn.errorContext')
type KnownResponse = ServerResponse & { [context]?: ErrorContext }

/** Tells {@link sendError} of a response what it can say. One object does for all responses. */
export function setErrorContext(response: ServerResponse, errorContext: ErrorContext): void {
  ;(response as KnownResponse)[context] = errorContext
}

export function errorContextOf(response: ServerResponse): ErrorContext | undefined {
  return (response as KnownResponse)[context]
}
