import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { afterAnswers } from './after-answers.ts'
import type { Connection } from './connection.ts'
import { lingerAndClose } from './linger.ts'
import { refusals } from './refusal.ts'
import type { Refusal } from './refusal.ts'
import { formatErrorResponse } from './send-error.ts'

const REFUSALS: Readonly<Record<string, Refusal>> = {
  HPE_HEADER_OVERFLOW: refusals.headersTooLarge,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: refusals.bodyTooLarge,
  HPE_INVALID_VERSION: refusals.unsupportedVersion,
  HPE_PAUSED_H2_UPGRADE: refusals.unsupportedVersion,
  ERR_HTTP_REQUEST_TIMEOUT: refusals.timeout,
}

/** Answers what the parser could not read, where an answer can still be understood, and closes the connection. */
export function answerClientError(
  error: Error & { code?: string },
  socket: Socket,
  connection: Connection,
  onRefusal: (refusal: Refusal) => void,
): void {
  connection.closing = true
  const code = error.code ?? ''
  const isParseError = code.startsWith('HPE_') || code === 'ERR_HTTP_REQUEST_TIMEOUT'
  // A connection that was opened ahead of need and never used ends without a word.
  if (!isParseError || !socket.writable || socket.bytesRead === 0) {
    socket.destroy()
    return
  }

  const refusal = REFUSALS[code] ?? refusals.malformed
  onRefusal(refusal)
  const answer = () => lingerAndClose(socket, formatErrorResponse(refusal.status))
  const { response } = connection
  // A fault in the head of a request lies behind the last one that was read, which gets its answer first.
  if (response === null || response.req.complete) afterAnswers(connection, answer)
  // The fault lies in the body of the last one, and others before it may still be waiting for their answers.
  else if (response.socket !== null || response.writableFinished) answerBroken(response, socket, answer)
  else response.once('socket', () => answerBroken(response, socket, answer))
}

/** Answers a request that broke off in its body, now that its turn has come; one that has an answer keeps it. */
function answerBroken(response: ServerResponse, socket: Socket, answer: () => void): void {
  if (response.writableFinished) lingerAndClose(socket)
  else if (response.writableEnded) response.once('finish', () => lingerAndClose(socket))
  else if (response.headersSent) process.nextTick(() => socket.destroy())
  else answer()
}
