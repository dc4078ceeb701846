import { describe, ProtocolError } from '../errors.ts'
import { isHopByHop } from '../http/headers.ts'
import { isLatin1 } from '../http/path.ts'

const headerName = /^[A-Za-z][A-Za-z0-9\-_]*$/
const control = /[\u0000-\u001f\u007f]/

/** Throws the error of the first rule that the arguments of start_response break. */
export function checkStartResponse(args: readonly unknown[]): void {
  if (args.length !== 2 && args.length !== 3) {
    throw new ProtocolError('HAVN_ERR_WSGI_START_RESPONSE_ARGUMENTS', `got ${args.length}`)
  }
  const [status, headers, excInfo] = args
  checkStatus(status)
  checkHeaders(headers)
  checkContentType(status as string, headers as [string, string][])
  if (excInfo != null && !(Array.isArray(excInfo) && excInfo.length === 3)) {
    throw new ProtocolError('HAVN_ERR_WSGI_EXC_INFO', describe(excInfo))
  }
}

function checkStatus(status: unknown): asserts status is string {
  if (typeof status !== 'string') throw new ProtocolError('HAVN_ERR_WSGI_STATUS_TYPE', describe(status))
  if (!isLatin1(status))
    throw new ProtocolError('HAVN_ERR_WSGI_HEADER_NOT_LATIN1', `status: ${describe(status)}`)
  if (!/^[1-9]\d\d (?! )/.test(`${status}x`) || control.test(status) || status !== status.trim()) {
    throw new ProtocolError('HAVN_ERR_WSGI_STATUS_FORMAT', describe(status))
  }
}

function checkHeaders(headers: unknown): void {
  if (!Array.isArray(headers)) throw new ProtocolError('HAVN_ERR_WSGI_HEADERS_TYPE', describe(headers))
  for (const header of headers as unknown[]) {
    if (!Array.isArray(header) || header.length !== 2) {
      throw new ProtocolError('HAVN_ERR_WSGI_HEADER_TUPLE', describe(header))
    }
    checkHeader(header[0], header[1])
  }
}

function checkHeader(name: unknown, value: unknown): void {
  if (typeof name !== 'string')
    throw new ProtocolError('HAVN_ERR_WSGI_HEADER_TYPE', `name: ${describe(name)}`)
  if (typeof value !== 'string')
    throw new ProtocolError('HAVN_ERR_WSGI_HEADER_TYPE', `${name}: ${describe(value)}`)
  const lower = name.toLowerCase()
  if (lower === 'status') throw new ProtocolError('HAVN_ERR_WSGI_HEADER_STATUS', describe(value))
  if (!headerName.test(name) || /[-_]$/.test(name)) {
    throw new ProtocolError('HAVN_ERR_WSGI_HEADER_NAME', describe(name))
  }
  if (isHopByHop(lower)) throw new ProtocolError('HAVN_ERR_WSGI_HOP_BY_HOP', name)
  if (control.test(value))
    throw new ProtocolError('HAVN_ERR_WSGI_HEADER_VALUE', `${name}: ${describe(value)}`)
  if (!isLatin1(value))
    throw new ProtocolError('HAVN_ERR_WSGI_HEADER_NOT_LATIN1', `${name}: ${describe(value)}`)
}

function checkContentType(status: string, headers: [string, string][]): void {
  const code = status.slice(0, 3)
  const noContent = code === '204' || code === '304'
  const found = headers.some(([name]) => name.toLowerCase() === 'content-type')
  if (noContent && found) throw new ProtocolError('HAVN_ERR_WSGI_CONTENT_TYPE_UNEXPECTED', status)
  if (!noContent && !found) throw new ProtocolError('HAVN_ERR_WSGI_CONTENT_TYPE_MISSING', status)
}
