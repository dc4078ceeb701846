import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { createInputStream } from './byte-input.ts'
import { createErrorStream } from './error-stream.ts'
import { FileWrapper } from './file-wrapper.ts'
import type { Environ, StartResponse, WsgiApp, WsgiHeader } from './types.ts'
import { excInfo } from './types.ts'
import { validateWsgi } from './validate-wsgi.ts'

const text: WsgiHeader[] = [['Content-Type', 'text/plain']]
const hello = Buffer.from('hello')
const good: WsgiApp = (_environ, startResponse) => {
  startResponse('200 OK', text)
  return [hello]
}

function environOf(changes: Record<string, unknown> = {}): Environ {
  const environ: Record<string, unknown> = {
    REQUEST_METHOD: 'GET',
    SCRIPT_NAME: '',
    PATH_INFO: '/',
    QUERY_STRING: '',
    SERVER_NAME: 'localhost',
    SERVER_PORT: '80',
    SERVER_PROTOCOL: 'HTTP/1.1',
    'wsgi.version': [1, 0],
    'wsgi.url_scheme': 'http',
    'wsgi.input': createInputStream(Buffer.from('a\nb')),
    'wsgi.errors': createErrorStream(() => {}),
    'wsgi.multithread': false,
    'wsgi.multiprocess': true,
    'wsgi.run_once': false,
    ...changes,
  }
  for (const [name, value] of Object.entries(changes)) if (value === undefined) delete environ[name]
  return environ as Environ
}

/** Runs an app as a server would: start_response, write, iteration, close. */
function run(
  app: WsgiApp,
  environ: Environ = environOf(),
  write: (data: Uint8Array) => void = () => {},
): string {
  const result = validateWsgi(app)(environ, () => write)
  try {
    return Buffer.concat([...result]).toString()
  } finally {
    result.close?.()
  }
}

const coded = (code: string): unknown => expect.objectContaining({ code: `HAVN_ERR_${code}` })

test('what keeps the rules passes through unchanged', () => {
  expect(run(good)).toBe('hello')
  const written: string[] = []
  const writing: WsgiApp = (_environ, startResponse) => {
    startResponse('200 OK', text)(hello)
    return []
  }
  run(writing, environOf(), (data) => written.push(Buffer.from(data).toString()))
  expect(written).toEqual(['hello'])
  const file = new FileWrapper({ read: () => new Uint8Array() })
  const sent = validateWsgi((_environ, startResponse) => (startResponse('200 OK', text), file))(
    environOf(),
    () => () => {},
  )
  expect(sent).toBe(file)
})

describe('the server breaks a rule', () => {
  test.each<[string, Record<string, unknown>]>([
    ['WSGI_ENVIRON_MISSING', { SERVER_NAME: undefined }],
    ['WSGI_ENVIRON_MISSING', { 'wsgi.input': undefined }],
    ['WSGI_ENVIRON_HTTP_CONTENT', { HTTP_CONTENT_TYPE: 'text/plain' }],
    ['WSGI_ENVIRON_VALUE', { HTTP_ACCEPT: Buffer.from('x') }],
    ['WSGI_ENVIRON_NOT_LATIN1', { PATH_INFO: '/\u20ac' }],
    ['WSGI_VERSION', { 'wsgi.version': '1.0' }],
    ['WSGI_URL_SCHEME', { 'wsgi.url_scheme': 'ftp' }],
    ['WSGI_METHOD', { REQUEST_METHOD: '' }],
    ['WSGI_METHOD', { REQUEST_METHOD: 'GE T' }],
    ['WSGI_SCRIPT_NAME', { SCRIPT_NAME: 'blog' }],
    ['WSGI_SCRIPT_NAME', { SCRIPT_NAME: '/' }],
    ['WSGI_PATH_INFO', { PATH_INFO: 'x' }],
    ['WSGI_PATH_INFO', { PATH_INFO: undefined }],
    ['WSGI_CONTENT_LENGTH', { CONTENT_LENGTH: '-1' }],
    ['WSGI_SERVER', { SERVER_PORT: '' }],
    ['WSGI_FLAG', { 'wsgi.run_once': 0 }],
    ['WSGI_INPUT_SHAPE', { 'wsgi.input': { read() {} } }],
    ['WSGI_ERRORS_SHAPE', { 'wsgi.errors': {} }],
  ])('%s %o', (code, changes) => {
    expect(() => run(good, environOf(changes))).toThrow(coded(code) as Error)
  })

  test('WSGI_ARGUMENTS', () => {
    const app = validateWsgi(good) as (...args: unknown[]) => unknown
    expect(() => app(environOf())).toThrow(coded('WSGI_ARGUMENTS') as Error)
    expect(() => app(environOf(), 1)).toThrow(coded('WSGI_ARGUMENTS') as Error)
  })

  test('WSGI_ENVIRON_TYPE', () => {
    class Environment {}
    const app = validateWsgi(good) as (...args: unknown[]) => unknown
    expect(() => app(new Environment(), () => {})).toThrow(coded('WSGI_ENVIRON_TYPE') as Error)
  })

  test('WSGI_INPUT_RESULT', () => {
    const input = { ...createInputStream(), read: () => 'text', readline: () => '', readlines: () => '' }
    const environ = environOf({ 'wsgi.input': Object.assign(input, { [Symbol.iterator]: function* () {} }) })
    expect(() => run((environ) => [environ['wsgi.input'].read(1)], environ)).toThrow(
      coded('WSGI_INPUT_RESULT') as Error,
    )
  })

  test('WSGI_ITERATED_AFTER_CLOSE', () => {
    const result = validateWsgi(good)(environOf(), () => () => {})
    result.close?.()
    expect(() => [...result]).toThrow(coded('WSGI_ITERATED_AFTER_CLOSE') as Error)
  })

  test('WSGI_NOT_CLOSED, when the garbage is collected', () => {
    const script = `
      import { createErrorStream, createInputStream, validateWsgi } from ${JSON.stringify(import.meta.resolve('../index.ts'))}
      const environ = { ...${JSON.stringify(environOf())}, 'wsgi.input': createInputStream(), 'wsgi.errors': createErrorStream() }
      globalThis.app = validateWsgi((_, start) => (start('200 OK', [['Content-Type', 'text/plain']]), []), {
        onUnclosed(error) {
          console.log(error.code)
          process.exit()
        },
      })
      ;(() => void app(environ, () => () => {}))()
      setInterval(gc, 10)`
    const args = ['--expose-gc', '--input-type=module', '--eval', script]
    const output = execFileSync(process.execPath, args, { encoding: 'utf8', timeout: 20_000 })
    expect(output).toContain('HAVN_ERR_WSGI_NOT_CLOSED')
  })
})

describe('the app breaks a rule in start_response', () => {
  test.each<[string, unknown[]]>([
    ['WSGI_START_RESPONSE_ARGUMENTS', ['200 OK']],
    ['WSGI_START_RESPONSE_ARGUMENTS', ['200 OK', text, null, 1]],
    ['WSGI_STATUS_TYPE', [200, text]],
    ['WSGI_STATUS_FORMAT', ['200', text]],
    ['WSGI_STATUS_FORMAT', ['OK', text]],
    ['WSGI_STATUS_FORMAT', ['200 OK\r\n', text]],
    ['WSGI_STATUS_FORMAT', ['20 OK', text]],
    ['WSGI_HEADERS_TYPE', ['200 OK', {}]],
    ['WSGI_HEADERS_TYPE', ['200 OK', new Map(text)]],
    ['WSGI_HEADER_TUPLE', ['200 OK', ['Content-Type: text/plain']]],
    ['WSGI_HEADER_TUPLE', ['200 OK', [['a', 'b', 'c']]]],
    ['WSGI_HEADER_TYPE', ['200 OK', [['Content-Length', 5]]]],
    ['WSGI_HEADER_TYPE', ['200 OK', [[hello, 'x']]]],
    ['WSGI_HEADER_STATUS', ['200 OK', [['Status', '200 OK']]]],
    ['WSGI_HEADER_NAME', ['200 OK', [['a:b', 'x']]]],
    ['WSGI_HEADER_NAME', ['200 OK', [['a\n', 'x']]]],
    ['WSGI_HEADER_NAME', ['200 OK', [['X-', 'x']]]],
    ['WSGI_HEADER_VALUE', ['200 OK', [['X-A', 'a\r\nSet-Cookie: b']]]],
    ['WSGI_HEADER_NOT_LATIN1', ['200 OK', [['X-A', '\u20ac']]]],
    ['WSGI_HOP_BY_HOP', ['200 OK', [['Connection', 'close']]]],
    ['WSGI_CONTENT_TYPE_MISSING', ['200 OK', []]],
    ['WSGI_CONTENT_TYPE_UNEXPECTED', ['204 No Content', text]],
    ['WSGI_EXC_INFO', ['500 Oops', text, new Error('x')]],
  ])('%s %j', (code, args) => {
    const app: WsgiApp = (_environ, startResponse) => {
      ;(startResponse as (...args: unknown[]) => unknown)(...args)
      return []
    }
    expect(() => run(app)).toThrow(coded(code) as Error)
  })

  test('WSGI_START_RESPONSE_TWICE, but not with exc_info', () => {
    const twice = (again: (startResponse: StartResponse) => void): WsgiApp => {
      return (_environ, startResponse) => {
        startResponse('200 OK', text)
        again(startResponse)
        return []
      }
    }
    expect(() => run(twice((start) => start('500 Oops', text)))).toThrow(
      coded('WSGI_START_RESPONSE_TWICE') as Error,
    )
    expect(run(twice((start) => start('500 Oops', text, excInfo(new Error('x')))))).toBe('')
  })
})

describe('the app breaks a rule in what it returns', () => {
  test.each<[string, unknown]>([
    ['WSGI_RESULT_STRING', 'hello'],
    ['WSGI_RESULT_STRING', hello],
    ['WSGI_RESULT_PROMISE', Promise.resolve([hello])],
    ['WSGI_RESULT_NOT_ITERABLE', undefined],
    ['WSGI_RESULT_NOT_ITERABLE', null],
    ['WSGI_RESULT_NOT_ITERABLE', {}],
    ['WSGI_BODY_NOT_BYTES', ['hello']],
  ])('%s %o', (code, result) => {
    const app = ((_environ, startResponse) => {
      startResponse('200 OK', text)
      return result
    }) as WsgiApp
    expect(() => run(app)).toThrow(coded(code) as Error)
  })

  test('WSGI_RESULT_PROMISE of an async function that fails is no unhandled rejection', () => {
    const app = (async () => Promise.reject(new Error('unseen'))) as unknown as WsgiApp
    expect(() => run(app)).toThrow(coded('WSGI_RESULT_PROMISE') as Error)
  })

  test('WSGI_START_RESPONSE_MISSING', () => {
    expect(() => run(() => [hello])).toThrow(coded('WSGI_START_RESPONSE_MISSING') as Error)
    expect(() => run(() => [])).toThrow(coded('WSGI_START_RESPONSE_MISSING') as Error)
  })

  test('WSGI_BODY_TOO_LONG and WSGI_BODY_TOO_SHORT', () => {
    const sized = (length: string): WsgiApp => {
      return (_environ, startResponse) => {
        startResponse('200 OK', [...text, ['Content-Length', length]])
        return [hello]
      }
    }
    expect(() => run(sized('4'))).toThrow(coded('WSGI_BODY_TOO_LONG') as Error)
    expect(() => run(sized('6'))).toThrow(coded('WSGI_BODY_TOO_SHORT') as Error)
    expect(run(sized('5'))).toBe('hello')
  })

  test('WSGI_WRITE_TYPE and WSGI_WRITE_IN_ITERABLE', () => {
    const wrong: WsgiApp = (_environ, startResponse) => {
      startResponse('200 OK', text)('hello' as never)
      return []
    }
    expect(() => run(wrong)).toThrow(coded('WSGI_WRITE_TYPE') as Error)
    const late: WsgiApp = function* (_environ, startResponse) {
      startResponse('200 OK', text)(hello)
      yield hello
    }
    expect(() => run(late)).toThrow(coded('WSGI_WRITE_IN_ITERABLE') as Error)
  })
})

describe('the app breaks a rule of the streams', () => {
  test.each<[string, (environ: Environ) => void]>([
    ['WSGI_INPUT_ARGUMENTS', (environ) => environ['wsgi.input'].read()],
    [
      'WSGI_INPUT_ARGUMENTS',
      (environ) => (environ['wsgi.input'].readline as (...args: number[]) => void)(1, 2),
    ],
    ['WSGI_INPUT_CLOSE', (environ) => (environ['wsgi.input'] as unknown as { close(): void }).close()],
    ['WSGI_ERRORS_WRITE', (environ) => environ['wsgi.errors'].write(hello as never)],
    ['WSGI_ERRORS_CLOSE', (environ) => (environ['wsgi.errors'] as unknown as { close(): void }).close()],
  ])('%s', (code, act) => {
    const app: WsgiApp = (environ, startResponse) => {
      act(environ)
      return good(environ, startResponse)
    }
    expect(() => run(app)).toThrow(coded(code) as Error)
  })

  test('reading and writing as the rules have it works', () => {
    const app: WsgiApp = (environ, startResponse) => {
      startResponse('200 OK', text)
      environ['wsgi.errors'].writelines(['a'])
      environ['wsgi.errors'].flush()
      const [line] = environ['wsgi.input']
      return [Buffer.concat([line!, ...environ['wsgi.input'].readlines()])]
    }
    expect(run(app)).toBe('a\nb')
  })
})
