import { describe, ProtocolError, type ProtocolErrorCode } from '../errors.ts'
import type { Scope } from './scope.ts'

type Dict = Record<string, unknown>

const httpVersions = new Set<unknown>(['1.0', '1.1', '2', '2.0', '3'])
const websocketVersions = new Set<unknown>(['1.1', '2', '2.0', '3'])

/** Throws the error of the first rule that a scope breaks. */
export function checkScope(scope: unknown): asserts scope is Scope {
  if (!isDict(scope)) throw new ProtocolError('HAVN_ERR_ASGI_SCOPE_TYPE', describe(scope))
  if (scope.type !== 'http' && scope.type !== 'websocket' && scope.type !== 'lifespan') {
    throw new ProtocolError('HAVN_ERR_ASGI_SCOPE_TYPE', `type: ${describe(scope.type)}`)
  }
  checkVersions(scope.asgi)
  require(scope.state === undefined || isDict(scope.state), 'HAVN_ERR_ASGI_SCOPE_STATE', scope.state)
  if (scope.type === 'lifespan') return
  checkConnection(scope)
  if (scope.type === 'http') {
    require(httpVersions.has(scope.http_version), 'HAVN_ERR_ASGI_SCOPE_HTTP_VERSION', scope.http_version)
    const { method } = scope
    const isMethod = typeof method === 'string' && method !== '' && method === method.toUpperCase()
    require(isMethod, 'HAVN_ERR_ASGI_SCOPE_METHOD', method)
    return
  }
  const { http_version, subprotocols } = scope
  const versionIsKnown = http_version === undefined || websocketVersions.has(http_version)
  require(versionIsKnown, 'HAVN_ERR_ASGI_SCOPE_HTTP_VERSION', http_version)
  const isList = subprotocols === undefined || (isIterable(subprotocols) && [...subprotocols].every(isString))
  require(isList, 'HAVN_ERR_ASGI_SCOPE_SUBPROTOCOLS', subprotocols)
}

function checkVersions(asgi: unknown): void {
  if (!isDict(asgi) || !isString(asgi.version)) {
    throw new ProtocolError('HAVN_ERR_ASGI_SCOPE_VERSION', describe(isDict(asgi) ? asgi.version : asgi))
  }
  const { spec_version } = asgi
  const isVersion = spec_version === undefined || (isString(spec_version) && /^\d+\.\d+$/.test(spec_version))
  require(isVersion, 'HAVN_ERR_ASGI_SCOPE_SPEC_VERSION', spec_version)
}

function checkConnection(scope: Dict): void {
  const { scheme, path, raw_path, query_string, root_path, headers, client, server, extensions } = scope
  require(scheme === undefined || (isString(scheme) && scheme !== ''), 'HAVN_ERR_ASGI_SCOPE_SCHEME', scheme)
  require(isString(path), 'HAVN_ERR_ASGI_SCOPE_PATH', path)
  const rawIsPath = raw_path == null || (raw_path instanceof Uint8Array && !raw_path.includes(0x3f))
  require(rawIsPath, 'HAVN_ERR_ASGI_SCOPE_RAW_PATH', raw_path)
  const mayMiss = scope.type === 'websocket' && query_string == null
  require(mayMiss || query_string instanceof Uint8Array, 'HAVN_ERR_ASGI_SCOPE_QUERY_STRING', query_string)
  require(root_path === undefined || isString(root_path), 'HAVN_ERR_ASGI_SCOPE_ROOT_PATH', root_path)
  checkHeaders(headers)
  require(client == null || isAddress(client, false), 'HAVN_ERR_ASGI_SCOPE_CLIENT', client)
  require(server == null || isAddress(server, true), 'HAVN_ERR_ASGI_SCOPE_SERVER', server)
  if (extensions == null) return
  const areDicts = isDict(extensions) && Object.values(extensions).every((value) => isDict(value))
  require(areDicts, 'HAVN_ERR_ASGI_SCOPE_EXTENSIONS', extensions)
  const { tls } = extensions as Dict
  if (tls !== undefined) checkTls(tls as Dict)
}

function checkHeaders(headers: unknown): void {
  require(isIterable(headers), 'HAVN_ERR_ASGI_SCOPE_HEADERS', headers)
  for (const header of headers as Iterable<unknown>) {
    const pair = isIterable(header) && !isString(header) ? [...header] : []
    const isPair = pair.length === 2 && pair.every((part) => part instanceof Uint8Array)
    require(isPair, 'HAVN_ERR_ASGI_SCOPE_HEADERS', header)
    const name = pair[0] as Uint8Array
    require(name.byteLength > 0 && name[0] !== 0x3a, 'HAVN_ERR_ASGI_SCOPE_HEADERS', Buffer.from(
      name,
    ).toString())
  }
}

/** ASGI TLS Extension, TLS Connection Scope. */
function checkTls(tls: Dict): void {
  const { server_cert, client_cert_chain, client_cert_name, client_cert_error, tls_version, cipher_suite } =
    tls
  const code = 'HAVN_ERR_ASGI_SCOPE_TLS'
  require(server_cert === null || isString(server_cert), code, server_cert, 'server_cert')
  const chain = client_cert_chain === undefined ? [] : client_cert_chain
  const isChain = isIterable(chain) && !isString(chain) && [...chain].every(isString)
  require(isChain, code, chain, 'client_cert_chain')
  require(client_cert_name == null || isString(client_cert_name), code, client_cert_name, 'client_cert_name')
  const isNamed = [...(chain as Iterable<unknown>)].length === 0 || isString(client_cert_name)
  require(isNamed, code, client_cert_name, 'client_cert_name')
  const isError = client_cert_error == null || (isString(client_cert_error) && client_cert_error !== '')
  require(isError, code, client_cert_error, 'client_cert_error')
  require(tls_version === null || isUint16(tls_version), code, tls_version, 'tls_version')
  require(cipher_suite === null || isUint16(cipher_suite), code, cipher_suite, 'cipher_suite')
}

function require(condition: boolean, code: ProtocolErrorCode, seen: unknown, field?: string): void {
  if (!condition)
    throw new ProtocolError(code, field === undefined ? describe(seen) : `${field}: ${describe(seen)}`)
}

function isAddress(value: unknown, portMayBeNull: boolean): boolean {
  const pair = isIterable(value) && !isString(value) ? [...value] : []
  if (pair.length !== 2 || !isString(pair[0])) return false
  return Number.isInteger(pair[1]) || (portMayBeNull && pair[1] === null)
}

function isDict(value: unknown): value is Dict {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
  )
}

function isIterable(value: unknown): value is Iterable<unknown> {
  return value != null && typeof (value as Partial<Iterable<unknown>>)[Symbol.iterator] === 'function'
}

function isString(value: unknown): value is string {
  return typeof value === 'string'
}

function isUint16(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 0xffff
}
