import type { ClientRequest } from 'node:http'
import { isOpen, onceOpen } from './client/dialer.ts'

/**
 * Fails a request with ETIMEDOUT when it has no open connection in time, a pool that is used up included; calls back
 * when it has one. With TLS a connection is open once the handshake is done.
 */
export function limitConnect(sent: ClientRequest, timeoutMs: number, onConnected: () => void): void {
  const timer = setTimeout(() => sent.destroy(timeoutError('connection')), timeoutMs)
  const settle = () => {
    clearTimeout(timer)
    onConnected()
  }
  sent.once('close', () => clearTimeout(timer))
  sent.once('socket', (socket) => {
    if (isOpen(socket)) settle()
    else onceOpen(socket, settle)
  })
}

export function timeoutError(phase: 'connection' | 'response'): NodeJS.ErrnoException {
  return Object.assign(new Error(`The upstream's ${phase} took too long`), { code: 'ETIMEDOUT' })
}
