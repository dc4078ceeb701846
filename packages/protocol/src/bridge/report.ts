import type { IncomingMessage } from 'node:http'

/** Is told of an error that ended a request: what the app threw, or what it did wrong. */
export type ErrorReporter = (error: unknown, request: IncomingMessage) => void

/** Writes the error, with the request line's facts, to stderr. */
export function reportToConsole(error: unknown, request: IncomingMessage): void {
  console.error(`${request.method} ${request.url}:`, error)
}
