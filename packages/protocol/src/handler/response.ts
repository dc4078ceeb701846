import { STATUS_CODES } from 'node:http'
import type { Bytes, WsgiHeader } from '../wsgi/types.ts'
import { formatCookie } from './cookies.ts'
import type { Content, HandlerResponse } from './types.ts'

/** `200 OK`: the status of start_response. */
export function statusLineOf({ status, reason }: HandlerResponse): string {
  return `${status} ${reason ?? STATUS_CODES[status] ?? 'Unknown Status Code'}`
}

/** A response's headers, with a Set-Cookie for each cookie. */
export function headersOf({ headers = [], cookies = [] }: HandlerResponse): WsgiHeader[] {
  const list: WsgiHeader[] = []
  for (const [name, value] of headers) list.push([name, value])
  for (const cookie of cookies) list.push(['Set-Cookie', formatCookie(cookie)])
  return list
}

/** A part of a body as bytes. */
export function toBytes(content: Content): Bytes {
  return typeof content === 'string' ? Buffer.from(content) : content
}

/** True for a body that is there as a whole. */
export function isWhole(content: HandlerResponse['content']): content is Content | undefined {
  return content === undefined || typeof content === 'string' || content instanceof Uint8Array
}

/** The answer to an error that nobody handled. */
export function serverError(): HandlerResponse {
  return {
    status: 500,
    headers: [['Content-Type', 'text/plain; charset=utf-8']],
    content: 'Internal Server Error\n',
  }
}
