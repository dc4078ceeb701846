import type { Socket } from 'node:net'
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
  const pending = connection.response
  if (pending === null || pending.writableFinished) {
    answer()
  } else if (pending.req.complete) {
    // The fault lies in a request pipelined behind this one, which gets its answer first.
    pending.once('finish', answer)
  } else if (pending.headersSent || pending.socket === null) {
    socket.destroy()
  } else {
    answer()
  }
}
