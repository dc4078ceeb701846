import { describe, ProtocolError } from '../errors.ts'
import { checkEnviron } from './check-environ.ts'
import { checkStartResponse } from './check-response.ts'
import { ensureIterable } from './check-result.ts'
import { FileWrapper } from './file-wrapper.ts'
import type {
  Bytes,
  Environ,
  ErrorStream,
  InputStream,
  StartResponse,
  WsgiApp,
  WsgiIterable,
  Write,
} from './types.ts'

/** What a validator does beside throwing. */
export interface ValidateWsgiOptions {
  /**
   * Is told when an iterable was dropped without `close()`: nothing can be thrown then, since it shows only when
   * the garbage is collected. The default emits a process warning.
   */
  onUnclosed?: (error: ProtocolError) => void
}

/**
 * A middleware that throws a {@link ProtocolError} on every violation of PEP 3333, by the server that calls it or
 * by the app; each has its own code and names its section. What it lets through it does not change.
 *
 * @example
 * export default defineWsgi(validateWsgi(application))
 */
export function validateWsgi(app: WsgiApp, options: ValidateWsgiOptions = {}): WsgiApp {
  const unclosed = new FinalizationRegistry<undefined>(() => {
    const error = new ProtocolError('HAVN_ERR_WSGI_NOT_CLOSED', 'it was dropped')
    if (options.onUnclosed !== undefined) options.onUnclosed(error)
    else process.emitWarning(error)
  })

  return (...args: [Environ, StartResponse]) => {
    if (args.length !== 2) throw new ProtocolError('HAVN_ERR_WSGI_ARGUMENTS', `got ${args.length}`)
    const [environ, startResponse] = args
    checkEnviron(environ)
    if (typeof startResponse !== 'function') {
      throw new ProtocolError('HAVN_ERR_WSGI_ARGUMENTS', `start_response: ${describe(startResponse)}`)
    }
    const call = new ValidatedCall(startResponse)
    environ['wsgi.input'] = new ValidatedInput(environ['wsgi.input'])
    environ['wsgi.errors'] = new ValidatedErrors(environ['wsgi.errors'])
    const result: unknown = app(environ, call.startResponse)
    ensureIterable(result)
    call.returned = true
    const iterable = new ValidatedIterable(result, call)
    const validated = Array.isArray(result) ? toList([...result] as Bytes[], iterable, call) : iterable
    unclosed.register(validated, undefined, iterable)
    iterable.onClose = () => unclosed.unregister(iterable)
    // A file wrapper has to arrive unchanged for the server to recognise it.
    if (result instanceof FileWrapper) {
      unclosed.unregister(iterable)
      call.ensureStarted()
      return result
    }
    return validated
  }
}

/** What one call of the app has said of its response. */
class ValidatedCall {
  returned = false
  readonly #startResponse: StartResponse
  #started = false
  #room = Infinity

  constructor(startResponse: StartResponse) {
    this.#startResponse = startResponse
  }

  readonly startResponse: StartResponse = (...args) => {
    checkStartResponse(args)
    const [status, headers, excInfo] = args
    if (this.#started && excInfo == null) {
      throw new ProtocolError('HAVN_ERR_WSGI_START_RESPONSE_TWICE', `the second status is ${status}`)
    }
    this.#started = true
    const length = headers.find(([name]) => name.toLowerCase() === 'content-length')?.[1]
    if (length !== undefined && !/^\d+$/.test(length)) {
      throw new ProtocolError('HAVN_ERR_WSGI_HEADER_VALUE', `Content-Length: ${describe(length)}`)
    }
    this.#room = length === undefined ? Infinity : Number(length)
    const write =
      excInfo === undefined
        ? this.#startResponse(status, headers)
        : this.#startResponse(status, headers, excInfo)
    return this.#toWrite(write)
  }

  ensureStarted(): void {
    if (!this.#started) throw new ProtocolError('HAVN_ERR_WSGI_START_RESPONSE_MISSING', 'it was not called')
  }

  /** Counts body bytes against Content-Length. */
  count(chunk: Bytes): void {
    this.#room -= chunk.byteLength
    if (this.#room < 0) throw new ProtocolError('HAVN_ERR_WSGI_BODY_TOO_LONG', `by ${-this.#room} bytes`)
  }

  /** The body has ended; a body of no bytes may answer HEAD. */
  ended(isEmpty: boolean): void {
    this.ensureStarted()
    if (this.#room === Infinity || this.#room === 0 || isEmpty) return
    throw new ProtocolError('HAVN_ERR_WSGI_BODY_TOO_SHORT', `by ${this.#room} bytes`)
  }

  #toWrite(write: Write): Write {
    return (...args: unknown[]) => {
      const [data] = args
      if (args.length !== 1 || !(data instanceof Uint8Array)) {
        throw new ProtocolError('HAVN_ERR_WSGI_WRITE_TYPE', describe(data))
      }
      if (this.returned) throw new ProtocolError('HAVN_ERR_WSGI_WRITE_IN_ITERABLE', describe(data))
      this.count(data)
      write(data)
    }
  }
}

class ValidatedIterable implements WsgiIterable {
  onClose: () => void = () => {}
  readonly #iterable: WsgiIterable
  readonly #call: ValidatedCall
  #closed = false

  constructor(iterable: WsgiIterable, call: ValidatedCall) {
    this.#iterable = iterable
    this.#call = call
  }

  *[Symbol.iterator](): Generator<Bytes> {
    let isEmpty = true
    this.ensureOpen()
    for (const chunk of this.#iterable as Iterable<unknown>) {
      if (!(chunk instanceof Uint8Array))
        throw new ProtocolError('HAVN_ERR_WSGI_BODY_NOT_BYTES', describe(chunk))
      this.#call.ensureStarted()
      this.#call.count(chunk)
      isEmpty &&= chunk.byteLength === 0
      yield chunk
      this.ensureOpen()
    }
    this.#call.ended(isEmpty)
  }

  close(): void {
    this.#closed = true
    this.onClose()
    this.#iterable.close?.()
  }

  ensureOpen(): void {
    if (this.#closed) throw new ProtocolError('HAVN_ERR_WSGI_ITERATED_AFTER_CLOSE', 'it was read')
  }
}

/** A list stays one: a server computes Content-Length of it, and may take its elements by index. */
function toList(parts: Bytes[], iterable: ValidatedIterable, call: ValidatedCall): WsgiIterable {
  for (const part of parts as unknown[]) {
    if (!(part instanceof Uint8Array)) throw new ProtocolError('HAVN_ERR_WSGI_BODY_NOT_BYTES', describe(part))
    call.ensureStarted()
    call.count(part)
  }
  call.ended(parts.every((part) => part.byteLength === 0))
  const values = Array.prototype[Symbol.iterator]
  return Object.assign(parts, {
    close: () => iterable.close(),
    [Symbol.iterator](this: Bytes[]): ArrayIterator<Bytes> {
      iterable.ensureOpen()
      return values.call(this) as ArrayIterator<Bytes>
    },
  })
}

class ValidatedInput implements InputStream {
  readonly #input: InputStream

  constructor(input: InputStream) {
    this.#input = input
  }

  read(...args: [size?: number]): Bytes {
    if (args.length !== 1 || typeof args[0] !== 'number') {
      throw new ProtocolError('HAVN_ERR_WSGI_INPUT_ARGUMENTS', `read() got ${args.length}`)
    }
    return ensureBytes(this.#input.read(args[0]))
  }

  readline(...args: [size?: number]): Bytes {
    if (args.length > 1)
      throw new ProtocolError('HAVN_ERR_WSGI_INPUT_ARGUMENTS', `readline() got ${args.length}`)
    return ensureBytes(this.#input.readline(...args))
  }

  readlines(...args: [hint?: number]): Bytes[] {
    if (args.length > 1)
      throw new ProtocolError('HAVN_ERR_WSGI_INPUT_ARGUMENTS', `readlines() got ${args.length}`)
    const lines: unknown = this.#input.readlines(...args)
    if (!Array.isArray(lines)) throw new ProtocolError('HAVN_ERR_WSGI_INPUT_RESULT', describe(lines))
    return lines.map(ensureBytes)
  }

  *[Symbol.iterator](): Generator<Bytes> {
    for (let line = this.readline(); line.byteLength > 0; line = this.readline()) yield line
  }

  close(): never {
    throw new ProtocolError('HAVN_ERR_WSGI_INPUT_CLOSE', 'it was called')
  }
}

class ValidatedErrors implements ErrorStream {
  readonly #errors: ErrorStream

  constructor(errors: ErrorStream) {
    this.#errors = errors
  }

  flush(): void {
    this.#errors.flush()
  }

  write(text: string): void {
    if (typeof text !== 'string') throw new ProtocolError('HAVN_ERR_WSGI_ERRORS_WRITE', describe(text))
    this.#errors.write(text)
  }

  writelines(lines: Iterable<string>): void {
    for (const line of lines) this.write(line)
  }

  close(): never {
    throw new ProtocolError('HAVN_ERR_WSGI_ERRORS_CLOSE', 'it was called')
  }
}

function ensureBytes(value: unknown): Bytes {
  if (value instanceof Uint8Array) return value
  throw new ProtocolError('HAVN_ERR_WSGI_INPUT_RESULT', describe(value))
}
