/**
 * A bytestring. PEP 3333 knows two kinds of string; here `Uint8Array` (so also `Buffer`) is the bytestring, and
 * `string` with code points up to U+00FF is the "native string" that carries bytes as latin-1.
 */
export type Bytes = Uint8Array

/** `wsgi.input` (PEP 3333, Input and Error Streams). Reading is synchronous; the end is an empty bytestring. */
export interface InputStream extends Iterable<Bytes> {
  /** At most `size` bytes; all that is left where it is absent or negative. */
  read(size?: number): Bytes
  /** One line with its linefeed, at most `size` bytes of it. */
  readline(size?: number): Bytes
  /** All lines, or as many as have `hint` bytes together. */
  readlines(hint?: number): Bytes[]
}

/** `wsgi.errors` (PEP 3333, Input and Error Streams). */
export interface ErrorStream {
  flush(): void
  write(text: string): void
  writelines(lines: Iterable<string>): void
}

/** What `wsgi.file_wrapper` takes: `read`, and where they exist `close` and `fileno`. */
export interface FileLike {
  /** At most `size` bytes; an empty bytestring at the end. */
  read(size?: number): Bytes
  close?(): void
  /** Descriptor whose current position is where to send from. */
  fileno?(): number
}

/** `wsgi.file_wrapper` (PEP 3333, Optional Platform-Specific File Handling). */
export type FileWrapperFactory = (file: FileLike, blockSize?: number) => WsgiIterable

/** The variables that a WSGI server provides (PEP 3333, environ Variables). */
export interface Environ {
  REQUEST_METHOD: string
  /** Where the app is mounted, percent-decoded, bytes as latin-1; empty at the root of the server. */
  SCRIPT_NAME: string
  /** The rest of the path, percent-decoded, bytes as latin-1. */
  PATH_INFO: string
  QUERY_STRING: string
  CONTENT_TYPE?: string
  CONTENT_LENGTH?: string
  SERVER_NAME: string
  SERVER_PORT: string
  SERVER_PROTOCOL: string
  REMOTE_ADDR?: string
  REMOTE_PORT?: string
  'wsgi.version': readonly [1, 0]
  'wsgi.url_scheme': string
  'wsgi.input': InputStream
  'wsgi.errors': ErrorStream
  'wsgi.multithread': boolean
  'wsgi.multiprocess': boolean
  'wsgi.run_once': boolean
  'wsgi.file_wrapper'?: FileWrapperFactory
  /** `HTTP_*` variables are strings; keys with a dot are the server's or middleware's own. */
  [name: string]: unknown
}

/** A response header: name and value, native strings. */
export type WsgiHeader = [name: string, value: string]

/** Python's `sys.exc_info()`: the error's class, the error, and its traceback. */
export type ExcInfo = readonly [type: unknown, value: unknown, traceback: unknown]

/** Sends body bytes at once (PEP 3333, The write() Callable). For old apps; new ones return an iterable. */
export type Write = (data: Bytes) => void

/** `start_response` (PEP 3333). With `excInfo` it replaces a response whose headers are not sent yet. */
export type StartResponse = (status: string, responseHeaders: WsgiHeader[], excInfo?: ExcInfo | null) => Write

/** What an app returns: bytestrings in turn, and a `close()` that the server calls however the request ends. */
export interface WsgiIterable extends Iterable<Bytes> {
  close?(): void
}

/**
 * A WSGI application (PEP 3333). The parameters have the specification's meaning and the order that counts.
 *
 * @example
 * const application: WsgiApp = (environ, startResponse) => {
 *   startResponse('200 OK', [['Content-Type', 'text/plain']])
 *   return [Buffer.from('Hello, World!\n')]
 * }
 */
export type WsgiApp = (environ: Environ, startResponse: StartResponse) => WsgiIterable

/**
 * What a middleware passes as `exc_info` when an error replaces the response it had begun.
 *
 * @example
 * startResponse('500 Oops', [['Content-Type', 'text/plain']], excInfo(error))
 */
export function excInfo(error: unknown): ExcInfo {
  const isError = error instanceof Error
  return [isError ? error.constructor : typeof error, error, isError ? (error.stack ?? null) : null]
}
