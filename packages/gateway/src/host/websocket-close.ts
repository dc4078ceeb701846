import type { WebSocket } from 'ws'

/** Longest reason in bytes: a control frame holds 125, the code two of them (RFC 6455 §5.5). */
const maxReasonBytes = 123

/** True for a code that may be sent in a Close frame (RFC 6455 §7.4). */
function isSendable(code: number): boolean {
  if (code >= 3000 && code <= 4999) return true
  return code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006
}

/** Closes as the app asked; a code that cannot be sent becomes none (1005), an abrupt end (1006) or an error. */
export function closeWebSocket(webSocket: WebSocket, code: number, reason: string): void {
  if (code === 1006) webSocket.terminate()
  else if (code === 1005) webSocket.close()
  else webSocket.close(isSendable(code) ? code : 1011, cut(reason))
}

function cut(reason: string): string {
  if (Buffer.byteLength(reason) <= maxReasonBytes) return reason
  return new TextDecoder('utf-8', { fatal: false })
    .decode(Buffer.from(reason).subarray(0, maxReasonBytes - 2))
    .replace(/\ufffd+$/, '')
}

/** The code with which `ws` closes for a fault of the client (RFC 6455 §7.4.1); null for any other error. */
export function closeCodeOf(error: Error & { code?: string }): number | null {
  if (error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') return 1009
  if (error.code === 'WS_ERR_INVALID_UTF8') return 1007
  return error.code?.startsWith('WS_ERR_') ? 1002 : null
}
