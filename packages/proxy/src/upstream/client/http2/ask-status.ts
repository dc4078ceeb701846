import type { Dialer } from '../dialer.ts'
import { readResponseFields } from './response-fields.ts'
import { toRequestFields } from './request-fields.ts'
import type { UpstreamRequest } from './request-fields.ts'
import { openSession } from './session-pool.ts'
import type { UpstreamSession } from './upstream-session.ts'

export interface AskOptions {
  dialer: Dialer
  isNegotiated: boolean
  request: UpstreamRequest
  /** Also bounds the time. */
  signal: AbortSignal
}

/**
 * The status of the answer to one request without a body, on an HTTP/2 connection of its own; null for a server that
 * was let choose, and chose HTTP/1.1.
 */
export function askStatus({ dialer, isNegotiated, request, signal }: AskOptions): Promise<number | null> {
  return new Promise((resolve, reject) => {
    let session: UpstreamSession | null = null
    const end = () => {
      signal.removeEventListener('abort', onAbort)
      if (session === null) cancel()
      else session.close()
    }
    const fail = (error: Error) => {
      reject(error)
      end()
    }
    const onAbort = () => fail(signal.reason as Error)
    const limits = { connectTimeoutMs: MAX_MS, keepAliveMs: MAX_MS }
    const cancel = openSession(
      { ...limits, dialer, isNegotiated },
      {
        onSession(opened) {
          session = opened
          if (session.room === 0) return fail(new Error('it takes no requests'))
          const stream = session.begin(toRequestFields(request, session.scheme, false), true)
          stream.once('error', fail)
          stream.once('close', () => fail(new Error('it answers nothing')))
          stream.once('response', (_fields, _flags, rawFields) => {
            try {
              resolve(readResponseFields(rawFields, request.method, false).status)
              end()
            } catch (error) {
              fail(error as Error)
            }
          })
        },
        onFreed() {},
        onEnded: () => fail(new Error('it closed the connection')),
        onHttp1(socket) {
          socket.destroy()
          resolve(null)
          end()
        },
        onError: fail,
      },
    )
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort)
  })
}

/** The signal bounds it all. */
const MAX_MS = 2 ** 31 - 1
