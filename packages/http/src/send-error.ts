import { STATUS_CODES } from 'node:http'
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { lingerAfterResponse } from './linger.ts'

/** Headers set for a body that is not sent after all. */
const ABOUT_BODY = /^(?:content-.*|cache-control|etag|last-modified|expires|transfer-encoding|accept-ranges)$/

/** What an error response may say beside its status. */
export interface SendErrorOptions {
  /** A sentence for the client, fit for anyone to read. */
  message?: string
  headers?: OutgoingHttpHeaders
  /** Closes the connection once the response is out: for requests whose body is not read. */
  close?: boolean
}

/**
 * Answers with a small body: `application/problem+json` (RFC 9457) to a client that asks for JSON, plain text
 * otherwise. A response that has begun can only be cut off, so that the client sees that it is incomplete.
 */
export function sendError(response: ServerResponse, status: number, options: SendErrorOptions = {}): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  const title = STATUS_CODES[status] ?? 'Error'
  const asJson = wantsJson(response.req?.headers.accept)
  const body = asJson
    ? JSON.stringify({ type: 'about:blank', title, status, detail: options.message }) + '\n'
    : `${status} ${title}\n` + (options.message ? `\n${options.message}\n` : '')

  for (const name of response.getHeaderNames()) if (ABOUT_BODY.test(name)) response.removeHeader(name)
  response.writeHead(status, {
    'content-type': asJson ? 'application/problem+json' : 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...options.headers,
    ...(options.close && { connection: 'close' }),
  })
  if (options.close && response.socket) lingerAfterResponse(response.socket)
  response.end(response.req?.method === 'HEAD' ? undefined : body)
}

/** The same for a socket that no response belongs to: malformed requests, refused upgrades. Ends the connection. */
export function formatErrorResponse(status: number, headers: Readonly<Record<string, string>> = {}): string {
  const body = `${status} ${STATUS_CODES[status] ?? 'Error'}\n`
  const fields = {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': String(body.length),
    Connection: 'close',
    ...headers,
  }
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Error'}\r\n${lines.join('')}\r\n${body}`
}

function wantsJson(accept: string | undefined): boolean {
  return accept !== undefined && /\bjson\b/i.test(accept) && !/\btext\/html\b/i.test(accept)
}
