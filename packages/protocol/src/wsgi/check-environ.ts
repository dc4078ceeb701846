import { describe, ProtocolError } from '../errors.ts'
import { isLatin1 } from '../http/path.ts'

const required = [
  'REQUEST_METHOD',
  'SERVER_NAME',
  'SERVER_PORT',
  'SERVER_PROTOCOL',
  'wsgi.version',
  'wsgi.url_scheme',
  'wsgi.input',
  'wsgi.errors',
  'wsgi.multithread',
  'wsgi.multiprocess',
  'wsgi.run_once',
]
const flags = ['wsgi.multithread', 'wsgi.multiprocess', 'wsgi.run_once']
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

/** Throws the error of the first rule that an environ breaks (PEP 3333, environ Variables). */
export function checkEnviron(environ: unknown): void {
  if (!isPlainObject(environ)) throw new ProtocolError('HAVN_ERR_WSGI_ENVIRON_TYPE', describe(environ))
  for (const name of required) {
    if (environ[name] === undefined) throw new ProtocolError('HAVN_ERR_WSGI_ENVIRON_MISSING', name)
  }
  for (const name of ['HTTP_CONTENT_TYPE', 'HTTP_CONTENT_LENGTH']) {
    if (name in environ) throw new ProtocolError('HAVN_ERR_WSGI_ENVIRON_HTTP_CONTENT', name)
  }
  for (const [name, value] of Object.entries(environ)) {
    // A name with a dot is an extension's own, of any type.
    if (!name.includes('.')) checkVariable(name, value)
  }
  checkVersion(environ['wsgi.version'])
  if (environ['wsgi.url_scheme'] !== 'http' && environ['wsgi.url_scheme'] !== 'https') {
    throw new ProtocolError('HAVN_ERR_WSGI_URL_SCHEME', describe(environ['wsgi.url_scheme']))
  }
  for (const name of flags) {
    if (typeof environ[name] !== 'boolean') {
      throw new ProtocolError('HAVN_ERR_WSGI_FLAG', `${name}: ${describe(environ[name])}`)
    }
  }
  ensureMethods(
    environ['wsgi.input'],
    ['read', 'readline', 'readlines', Symbol.iterator],
    'HAVN_ERR_WSGI_INPUT_SHAPE',
  )
  ensureMethods(environ['wsgi.errors'], ['flush', 'write', 'writelines'], 'HAVN_ERR_WSGI_ERRORS_SHAPE')
  checkRequest(environ as Record<string, string | undefined>)
}

function checkVariable(name: string, value: unknown): void {
  if (value === undefined) return
  if (typeof value !== 'string') {
    throw new ProtocolError('HAVN_ERR_WSGI_ENVIRON_VALUE', `${name}: ${describe(value)}`)
  }
  if (!isLatin1(value)) {
    throw new ProtocolError('HAVN_ERR_WSGI_ENVIRON_NOT_LATIN1', `${name}: ${describe(value)}`)
  }
}

function checkVersion(version: unknown): void {
  if (Array.isArray(version) && version.length === 2 && version[0] === 1 && version[1] === 0) return
  throw new ProtocolError('HAVN_ERR_WSGI_VERSION', describe(version))
}

function checkRequest(environ: Record<string, string | undefined>): void {
  const { REQUEST_METHOD, SCRIPT_NAME, PATH_INFO, CONTENT_LENGTH, SERVER_NAME, SERVER_PORT } = environ
  if (!token.test(REQUEST_METHOD ?? '')) {
    throw new ProtocolError('HAVN_ERR_WSGI_METHOD', describe(REQUEST_METHOD))
  }
  if (SCRIPT_NAME && (!SCRIPT_NAME.startsWith('/') || SCRIPT_NAME === '/')) {
    throw new ProtocolError('HAVN_ERR_WSGI_SCRIPT_NAME', describe(SCRIPT_NAME))
  }
  if ((PATH_INFO && !PATH_INFO.startsWith('/')) || (!SCRIPT_NAME && PATH_INFO === undefined)) {
    // "OPTIONS *" has no path; servers hand the asterisk over as it is.
    if (PATH_INFO !== '*') throw new ProtocolError('HAVN_ERR_WSGI_PATH_INFO', describe(PATH_INFO))
  }
  if (CONTENT_LENGTH && !/^\d+$/.test(CONTENT_LENGTH)) {
    throw new ProtocolError('HAVN_ERR_WSGI_CONTENT_LENGTH', describe(CONTENT_LENGTH))
  }
  if (!SERVER_NAME || !SERVER_PORT) {
    throw new ProtocolError('HAVN_ERR_WSGI_SERVER', `${SERVER_NAME || '(none)'}:${SERVER_PORT || '(none)'}`)
  }
}

function ensureMethods(
  value: unknown,
  methods: (string | symbol)[],
  code: 'HAVN_ERR_WSGI_INPUT_SHAPE' | 'HAVN_ERR_WSGI_ERRORS_SHAPE',
): void {
  for (const method of methods) {
    const found =
      typeof value === 'object' && value !== null && (value as Record<string | symbol, unknown>)[method]
    if (typeof found !== 'function') throw new ProtocolError(code, `it lacks ${String(method)}`)
  }
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
