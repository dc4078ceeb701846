import { describe, ProtocolError } from '../errors.ts'
import { latin1 } from '../http/headers.ts'
import { isCloseCode } from './close-code.ts'

type Dict = Record<string, unknown>

const fieldName = /^[!#$%&'*+.^_`|~0-9a-z-]+$/
const splitting = /[\u0000\r\n]/

/** An event's `type`. Throws when it is no dict with a string for a type. */
export function eventTypeOf(event: unknown): string {
  const type = typeof event === 'object' && event !== null ? (event as Dict).type : event
  if (typeof type === 'string' && type !== event) return type
  throw new ProtocolError('HAVN_ERR_ASGI_EVENT_TYPE', describe(type))
}

/** Throws when a field of a sent event has another type than the protocol gives it. */
export function checkSentFields(type: string, event: Dict): void {
  switch (type) {
    case 'http.response.start':
    case 'websocket.http.response.start':
      checkStatus(event.status)
      checkHeaders(event.headers, false)
      return checkBoolean(event, 'trailers')
    case 'http.response.body':
    case 'websocket.http.response.body':
      checkBody(event.body)
      return checkBoolean(event, 'more_body')
    case 'http.response.trailers':
      checkHeaders(event.headers, false)
      return checkBoolean(event, 'more_trailers')
    case 'http.response.push':
      check(typeof event.path === 'string', 'path', event.path)
      return checkHeaders(event.headers, true)
    case 'http.response.zerocopysend':
      return checkZeroCopySend(event)
    case 'http.response.pathsend':
      return check(typeof event.path === 'string', 'path', event.path)
    case 'http.response.early_hint':
      return checkLinks(event.links)
    case 'http.response.debug':
      return check(typeof event.info === 'object' && event.info !== null, 'info', event.info)
    case 'websocket.accept':
      check(
        event.subprotocol == null || typeof event.subprotocol === 'string',
        'subprotocol',
        event.subprotocol,
      )
      return checkHeaders(event.headers, false)
    case 'websocket.send':
      return checkPayload(event, 'HAVN_ERR_ASGI_WEBSOCKET_PAYLOAD')
    case 'websocket.close':
      return checkClose(event)
    case 'lifespan.startup.failed':
    case 'lifespan.shutdown.failed':
      return check(event.message === undefined || typeof event.message === 'string', 'message', event.message)
  }
}

/** Throws when a field of a received event has another type than the protocol gives it. */
export function checkReceivedFields(type: string, event: Dict): void {
  const code = 'HAVN_ERR_ASGI_RECEIVE_FIELD'
  const { body, more_body } = event
  if (type === 'http.request') {
    if (body !== undefined && !(body instanceof Uint8Array))
      throw new ProtocolError(code, `body: ${describe(body)}`)
    if (more_body !== undefined && typeof more_body !== 'boolean') {
      throw new ProtocolError(code, `more_body: ${describe(more_body)}`)
    }
  }
  if (type === 'websocket.receive') checkPayload(event, code)
  if (type === 'websocket.disconnect') {
    if (!Number.isInteger(event.code)) throw new ProtocolError(code, `code: ${describe(event.code)}`)
    if (event.reason != null && typeof event.reason !== 'string') {
      throw new ProtocolError(code, `reason: ${describe(event.reason)}`)
    }
  }
}

function checkStatus(status: unknown): void {
  if (Number.isInteger(status) && (status as number) >= 200 && (status as number) <= 599) return
  throw new ProtocolError('HAVN_ERR_ASGI_STATUS', describe(status))
}

function checkHeaders(headers: unknown, required: boolean): void {
  if (headers === undefined && !required) return
  if (typeof headers !== 'object' || headers === null || !(Symbol.iterator in headers)) {
    throw new ProtocolError('HAVN_ERR_ASGI_HEADERS', describe(headers))
  }
  for (const header of headers as Iterable<unknown>) {
    const pair = Array.isArray(header) ? (header as unknown[]) : []
    if (pair.length !== 2) throw new ProtocolError('HAVN_ERR_ASGI_HEADERS', describe(header))
    const [name, value] = pair
    if (!(name instanceof Uint8Array))
      throw new ProtocolError('HAVN_ERR_ASGI_HEADERS', `name: ${describe(name)}`)
    const text = latin1(name)
    if (!fieldName.test(text)) throw new ProtocolError('HAVN_ERR_ASGI_HEADER_NAME', describe(text))
    if (!(value instanceof Uint8Array)) {
      throw new ProtocolError('HAVN_ERR_ASGI_HEADERS', `${text}: ${describe(value)}`)
    }
    if (splitting.test(latin1(value))) {
      throw new ProtocolError('HAVN_ERR_ASGI_HEADER_VALUE', `${text}: ${describe(latin1(value))}`)
    }
  }
}

function checkBody(body: unknown): void {
  if (body === undefined || body instanceof Uint8Array) return
  throw new ProtocolError('HAVN_ERR_ASGI_BODY_NOT_BYTES', describe(body))
}

function checkBoolean(event: Dict, field: string): void {
  check(event[field] === undefined || typeof event[field] === 'boolean', field, event[field])
}

function checkZeroCopySend(event: Dict): void {
  const { file, offset, count } = event
  const fd = typeof file === 'object' && file !== null ? (file as Dict).fd : file
  check(Number.isInteger(fd), 'file', file)
  check(offset === undefined || (Number.isInteger(offset) && (offset as number) >= 0), 'offset', offset)
  check(count === undefined || (Number.isInteger(count) && (count as number) >= 0), 'count', count)
  checkBoolean(event, 'more_body')
}

function checkLinks(links: unknown): void {
  const areLinks = Array.isArray(links) && links.every((link) => link instanceof Uint8Array)
  check(areLinks, 'links', links)
}

function checkPayload(
  { bytes, text }: Dict,
  code: 'HAVN_ERR_ASGI_WEBSOCKET_PAYLOAD' | 'HAVN_ERR_ASGI_RECEIVE_FIELD',
): void {
  const isBytes = bytes instanceof Uint8Array && text == null
  const isText = typeof text === 'string' && bytes == null
  if (!isBytes && !isText) throw new ProtocolError(code, `bytes: ${describe(bytes)}, text: ${describe(text)}`)
}

function checkClose({ code, reason }: Dict): void {
  if (code !== undefined && !isCloseCode(code)) {
    throw new ProtocolError('HAVN_ERR_ASGI_WEBSOCKET_CLOSE_CODE', describe(code))
  }
  if (reason == null) return
  if (typeof reason !== 'string' || Buffer.byteLength(reason) > 123) {
    throw new ProtocolError('HAVN_ERR_ASGI_WEBSOCKET_REASON', describe(reason))
  }
}

function check(condition: boolean, field: string, seen: unknown): void {
  if (!condition) throw new ProtocolError('HAVN_ERR_ASGI_EVENT_FIELD', `${field}: ${describe(seen)}`)
}
