import { STATUS_CODES } from 'node:http'
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { errorContextOf } from './error-context.ts'
import { chooseErrorFormat } from './error-format.ts'
import { grpcStatusFields, isGrpc } from './grpc.ts'
import { errorPagePolicy, formatErrorPage } from './error-page.ts'
import { lingerAfterResponse } from './linger.ts'

/** Headers set for a body that is not sent after all; a policy for the site's pages is not about one of them. */
const ABOUT_BODY =
  /^(?:content-(?!security-policy).*|cache-control|etag|last-modified|expires|transfer-encoding|accept-ranges)$/

/** What an error response may say beside its status. */
export interface SendErrorOptions {
  /** A sentence for the client, fit for anyone to read. */
  message?: string
  headers?: OutgoingHttpHeaders
  /** Closes the connection once the response is out: for requests whose body is not read. */
  close?: boolean
}

/**
 * Answers with a small body, as the client's Accept has it: a page to those who name HTML, `application/problem+json` (RFC 9457), or
 * plain text. The page is the site's own where {@link setErrorContext} gave one. Callers of gRPC get its status instead. A
 * response that has begun can only be cut off, so that the client sees that it is incomplete.
 */
export function sendError(response: ServerResponse, status: number, options: SendErrorOptions = {}): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  if (isGrpc(response.req)) return sendGrpcError(response, status, options)
  const { headers, body } = errorBody(response, status, options.message)
  for (const name of response.getHeaderNames()) if (ABOUT_BODY.test(name)) response.removeHeader(name)
  response.writeHead(status, {
    ...headers,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...options.headers,
    ...(options.close && { connection: 'close' }),
  })
  if (options.close && response.socket) lingerAfterResponse(response.socket)
  response.end(response.req?.method === 'HEAD' ? undefined : body)
}

/** A head alone: on HTTP/2 it is the end of its stream, too, which is how callers know it. */
function sendGrpcError(response: ServerResponse, status: number, options: SendErrorOptions): void {
  for (const name of response.getHeaderNames()) if (ABOUT_BODY.test(name)) response.removeHeader(name)
  response.writeHead(200, {
    'content-type': 'application/grpc',
    ...grpcStatusFields(status, options.message ?? STATUS_CODES[status] ?? 'Error'),
    ...options.headers,
    ...(options.close && { connection: 'close' }),
  })
  if (options.close && response.socket) lingerAfterResponse(response.socket)
  response.end()
}

/**
 * Makes the head of a response that another has begun to write that of an error: what is about its body goes, all else
 * stays.
 *
 * @returns the body that belongs to it.
 */
export function dressAsError(response: ServerResponse, status: number): string | Buffer {
  const { headers, body } = errorBody(response, status)
  for (const name of response.getHeaderNames()) if (ABOUT_BODY.test(name)) response.removeHeader(name)
  response.removeHeader('trailer')
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
  response.setHeader('content-length', Buffer.byteLength(body))
  response.setHeader('cache-control', 'no-store')
  response.setHeader('x-content-type-options', 'nosniff')
  return body
}

/** What an error says to this client, and the headers that are about it. */
export function errorBody(
  response: ServerResponse,
  status: number,
  message?: string,
): { headers: Record<string, string>; body: string | Buffer } {
  const { req: request } = response
  const title = STATUS_CODES[status] ?? 'Error'
  const format = chooseErrorFormat(request?.headers.accept)
  if (format === 'text') {
    const body = `${status} ${title}\n` + (message ? `\n${message}\n` : '')
    return { headers: { 'content-type': 'text/plain; charset=utf-8' }, body }
  }
  const context = errorContextOf(response)
  const requestId = context?.requestId(request)
  if (format === 'json') {
    const body = JSON.stringify({ type: 'about:blank', title, status, detail: message, requestId }) + '\n'
    return { headers: { 'content-type': 'application/problem+json' }, body }
  }
  const headers = { 'content-type': 'text/html; charset=utf-8' }
  const own = context?.page(status) ?? null
  if (own !== null) return { headers, body: own }
  const body = formatErrorPage({ status, title, message, requestId })
  return { headers: { ...headers, 'content-security-policy': errorPagePolicy }, body }
}

/** The same as text, for the response to a request whose own object is no longer to be used. */
export function formatErrorFor(response: ServerResponse, status: number): string {
  if (!isGrpc(response.req)) return formatErrorResponse(status)
  const fields = { 'Content-Type': 'application/grpc', ...grpcStatusFields(status, STATUS_CODES[status]!) }
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 200 OK\r\n${lines.join('')}Content-Length: 0\r\nConnection: close\r\n\r\n`
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
