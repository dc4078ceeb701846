import type { HttpScope } from '../asgi/scope.ts'
import { addEnvironHeader, latin1 } from '../http/headers.ts'
import { decodeLatin1Path, decodePath, stripRoot, toLatin1 } from '../http/path.ts'
import type { NodeTarget } from '../node/target.ts'
import { createErrorStream } from './error-stream.ts'
import { fileWrapper } from './file-wrapper.ts'
import type { Environ, ErrorStream, InputStream } from './types.ts'

/** What an environ has beside the facts of the request. */
export interface EnvironSettings {
  /** The body; read whole before the app is called. */
  input: InputStream
  /** Length of the body, for CONTENT_LENGTH where the client gave none (chunked coding). */
  bodyLength: number
  errors?: ErrorStream
  /** Where the app is mounted, as text: `/blog`, or empty. */
  rootPath?: string
}

const stderr = createErrorStream()
const version = Object.freeze([1, 0]) as readonly [1, 0]

/** The environ of a request that node:http received. */
export function environOfTarget(method: string, target: NodeTarget, settings: EnvironSettings): Environ {
  const environ = baseEnviron(settings)
  environ.REQUEST_METHOD = method
  setPath(environ, toLatin1(settings.rootPath ?? ''), decodeLatin1Path(target.path))
  environ.QUERY_STRING = target.query
  environ.SERVER_PROTOCOL = `HTTP/${target.httpVersion}`
  environ['wsgi.url_scheme'] = target.scheme
  const serverPort = target.serverPort
  setServer(environ, serverPort === null ? target.host : target.serverAddress, serverPort)
  if (target.clientAddress !== '') setClient(environ, target.clientAddress, target.clientPort)
  const { headers } = target
  for (let index = 0; index < headers.length; index += 2) {
    addEnvironHeader(environ, headers[index]!, headers[index + 1]!)
  }
  setContentLength(environ, settings.bodyLength)
  return environ
}

/** The environ of an http scope (ASGI HTTP & WebSocket, WSGI Compatibility). */
export function environOfScope(scope: HttpScope, settings: EnvironSettings): Environ {
  const environ = baseEnviron(settings)
  environ.REQUEST_METHOD = scope.method
  setPath(environ, toLatin1(scope.root_path ?? ''), latin1Path(scope))
  environ.QUERY_STRING = latin1(scope.query_string ?? new Uint8Array())
  environ.SERVER_PROTOCOL = `HTTP/${scope.http_version}`
  environ['wsgi.url_scheme'] = scope.scheme ?? 'http'
  for (const [name, value] of scope.headers) addEnvironHeader(environ, latin1(name), latin1(value))
  const host = typeof environ.HTTP_HOST === 'string' ? environ.HTTP_HOST : ''
  if (scope.server == null) setServer(environ, host, null)
  else setServer(environ, scope.server[1] === null ? host : scope.server[0], scope.server[1])
  if (scope.client != null) setClient(environ, scope.client[0], scope.client[1])
  setContentLength(environ, settings.bodyLength)
  return environ
}

function baseEnviron(settings: EnvironSettings): Environ {
  return {
    REQUEST_METHOD: 'GET',
    SCRIPT_NAME: '',
    PATH_INFO: '',
    QUERY_STRING: '',
    SERVER_NAME: '',
    SERVER_PORT: '',
    SERVER_PROTOCOL: '',
    'wsgi.version': version,
    'wsgi.url_scheme': 'http',
    'wsgi.input': settings.input,
    'wsgi.errors': settings.errors ?? stderr,
    // One thread runs one synchronous call at a time; other threads and processes may run the same app.
    'wsgi.multithread': false,
    'wsgi.multiprocess': true,
    'wsgi.run_once': false,
    'wsgi.file_wrapper': fileWrapper,
  }
}

/** Splits the path at the mount point; a path outside of it is PATH_INFO as it is. */
function setPath(environ: Environ, root: string, path: string): void {
  const scriptName = root.endsWith('/') ? root.slice(0, -1) : root
  environ.SCRIPT_NAME = scriptName
  environ.PATH_INFO = stripRoot(path, scriptName) ?? path
}

/**
 * The path's bytes. `path` has lost those that are no UTF-8; `raw_path` still has them, and is believed where it
 * is the same path (no dot segments were resolved in between).
 */
function latin1Path(scope: HttpScope): string {
  const { path, raw_path } = scope
  if (raw_path == null || !path.includes('\ufffd')) return toLatin1(path)
  const raw = latin1(raw_path)
  return decodePath(raw) === path ? decodeLatin1Path(raw) : toLatin1(path)
}

/** SERVER_NAME and SERVER_PORT are never empty; where the server has neither (a Unix socket), Host has. */
function setServer(environ: Environ, name: string, port: number | null): void {
  const host = port === null ? /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(name) : null
  environ.SERVER_NAME = (host === null ? name : host[1]) || 'localhost'
  const fallback = environ['wsgi.url_scheme'] === 'https' ? '443' : '80'
  environ.SERVER_PORT = port === null ? (host?.[2] ?? fallback) : String(port)
}

function setClient(environ: Environ, address: string, port: number): void {
  environ.REMOTE_ADDR = address
  environ.REMOTE_PORT = String(port)
}

function setContentLength(environ: Environ, length: number): void {
  if (environ.CONTENT_LENGTH === undefined && length > 0) environ.CONTENT_LENGTH = String(length)
}
