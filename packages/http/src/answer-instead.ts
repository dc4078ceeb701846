import type { ServerResponse } from 'node:http'
import { sendError } from './send-error.ts'
import type { SendErrorOptions } from './send-error.ts'

/**
 * Answers in the place of a handler that still holds the response, and ends the connection: whatever it writes
 * afterwards goes nowhere. A response that has begun is cut off.
 */
export function answerInstead(response: ServerResponse, status: number, options?: SendErrorOptions): void {
  // Of a write after the end: the handler knows nothing of that end.
  response.on('error', ignore)
  sendError(response, status, { ...options, close: true })
}

function ignore(): void {}
