import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import * as frames from '../src/frames/index.ts'
import { TestHost, asgiHead, peakMemoryMib } from './host-gateway.ts'
import type { Answer, TestHostOptions, TestRequest, TestStream } from './host-gateway.ts'

const { frameFlag, frameType } = frames
const app = { interface: 'asgi', target: 'asgi_cases:application' } as const

let shared: TestHost
const own: TestHost[] = []

beforeAll(async () => {
  shared = await TestHost.serve(app)
})
afterEach(async () => {
  await Promise.all(own.splice(0).map((host) => host.close()))
})
afterAll(async () => {
  await shared.close()
})

describe('responses', () => {
  it.each<[string, TestRequest, Partial<Answer>]>([
    ['whole', { path: '/hello' }, { status: 200, text: 'hello', end: 'END' }],
    ['in pieces', { path: '/stream', query: '3' }, { text: 'x'.repeat(3 * 65_536), end: 'END' }],
    ['larger than the window', { path: '/big' }, { text: 'x'.repeat(1_000_000), end: 'END' }],
    ['204', { path: '/no-content' }, { status: 204, text: '' }],
    [
      'HEAD',
      { method: 'HEAD', path: '/hello' },
      { text: '', headers: { 'content-type': 'text/plain', 'content-length': '5' } },
    ],
    ['HEAD in pieces', { method: 'HEAD', path: '/stream', query: '3' }, { text: '', end: 'END' }],
    ['of the declared length', { path: '/length', query: '5,5' }, { text: 'xxxxx', end: 'END' }],
    ['of the declared length in pieces', { path: '/length', query: '5,2,3' }, { text: 'xxxxx', end: 'END' }],
    [
      'with trailers',
      { path: '/trailers' },
      { text: 'body', end: 'TRAILERS', trailers: ['x-sum', '1', 'x-end', '2'] },
    ],
    ['less hop-by-hop headers', { path: '/hop-by-hop' }, { text: 'kept', rawHeaders: ['x-kept', '1'] }],
  ])('%s', async (_, request, expected) => {
    expect(await ask(request)).toMatchObject(expected)
  })

  it('of a file are left to the gateway', async () => {
    const file = path.join(shared.directory, 'file.txt')
    await writeFile(file, 'in the file')
    expect(await ask({ path: '/pathsend', query: file })).toMatchObject({
      end: 'FILE',
      file: { path: file, offset: 0, length: Infinity },
    })
    expect(await ask({ method: 'HEAD', path: '/pathsend', query: file })).toMatchObject({
      end: 'END',
      text: '',
    })
    expect(await ask({ path: '/pathsend', query: 'relative' })).toMatchObject({ status: 500 })
  })

  it('of a file are over for the app once the gateway has opened it', async () => {
    const host = await serve()
    const file = path.join(host.directory, 'passing.txt')
    await writeFile(file, 'in the file')
    const stream = host.open(asgiHead({ path: '/pathsend-and-remove', query: file }))
    stream.opensFiles = false
    await host.until(() => stream.file !== undefined)
    expect((await ask({ path: '/events' }, host)).text).toBe('')
    expect(await readFile(file, 'latin1')).toBe('in the file')
    stream.opened()
    expect(await stream.answer()).toMatchObject({ end: 'FILE', file: { path: file } })
    await expect.poll(async () => (await ask({ path: '/events' }, host)).text).toBe('removed')
    await expect(readFile(file)).rejects.toThrow('ENOENT')
    await writeFile(file, 'in the file')
    const cancelled = host.open(asgiHead({ path: '/pathsend-and-remove', query: file }))
    cancelled.opensFiles = false
    await host.until(() => cancelled.file !== undefined)
    cancelled.cancel()
    expect((await cancelled.answer()).end).toBe('CANCEL')
    expect(host.logs).toEqual([])
  })

  it('leave each request its own context', async () => {
    for (let round = 0; round < 3; round++) expect((await ask({ path: '/context' })).text).toBe('unset')
  })

  it('hold back no neighbour while one waits for credit', async () => {
    const host = await serve({ responseWindow: 100_000 })
    const blocked = host.open(asgiHead({ path: '/stream', query: '8' }))
    blocked.givesCredit = false
    await host.until(() => blocked.sentBytes === 100_000)
    for (let round = 0; round < 20; round++) expect((await ask({}, host)).text).toBe('hello')
    blocked.credit(1_000_000)
    expect((await blocked.answer()).body.length).toBe(8 * 65_536)
  })
})

describe('mistakes of an app', () => {
  it.each<[string, TestRequest, Partial<Answer>, string, RegExp]>([
    ['no response', { path: '/nothing' }, { status: 500 }, 'ASGI_INCOMPLETE', /sent no response/],
    ['no body', { path: '/no-body' }, { status: 500 }, 'ASGI_INCOMPLETE', /sent no complete body/],
    [
      'half a body',
      { path: '/half' },
      { text: 'half', end: 'CANCEL' },
      'ASGI_INCOMPLETE',
      /no complete body/,
    ],
    ['an exception', { path: '/raise' }, { status: 500 }, 'THREW', /ValueError: it broke/],
    ['an exception midway', { path: '/raise-midway' }, { text: 'half', end: 'CANCEL' }, 'THREW', /it broke/],
    [
      'a body before its start',
      { path: '/body-first' },
      { status: 500 },
      'THREW',
      /before http.response.start/,
    ],
    ['a body of str', { path: '/str' }, { status: 500 }, 'THREW', /body must be bytes, not str/],
    ['a header of str', { path: '/str-header' }, { status: 500 }, 'THREW', /pairs of bytes/],
    ['an unknown message', { path: '/unknown' }, { status: 500 }, 'THREW', /http.response.bogus/],
    ['a second response', { path: '/twice' }, { text: 'once' }, 'THREW', /after the response had ended/],
    [
      'more than declared',
      { path: '/length', query: '3,2,4' },
      { text: 'xxx', end: 'END' },
      'CONTENT_LENGTH',
      /6 bytes.*of 3/,
    ],
    [
      'all of more',
      { path: '/length', query: '3,9' },
      { text: 'xxx', end: 'END' },
      'CONTENT_LENGTH',
      /9 bytes.*of 3/,
    ],
    [
      'less than declared',
      { path: '/length', query: '9,2' },
      { end: 'CANCEL' },
      'CONTENT_LENGTH',
      /2 bytes.*of 9/,
    ],
  ])('%s', async (_, request, expected, code, message) => {
    const host = await serve()
    expect(await ask(request, host)).toMatchObject(expected)
    const line = await host.log((seen) => seen.code === `HAVN_ERR_APP_${code}`)
    expect(line).toMatchObject({ level: 'error', message: expect.stringMatching(message) as string })
    expect((await ask({}, host)).text).toBe('hello')
  })
})

describe('scope', () => {
  it('is what the specification asks for', async () => {
    const { text } = await ask({ path: '/scope', query: 'a=%20', headers: { 'x-name': 'é' } })
    expect(text.split('\n')).toEqual([
      expect.stringMatching(/^asgi=\{'version': '3.0', 'spec_version': '2.5'\}/),
      "client=('127.0.0.1', 50000)",
      "extensions={'http.response.pathsend': {}, 'http.response.trailers': {}}",
      "headers=[(b'host', b'localhost:8000'), (b'x-name', b'\\xe9')]",
      "http_version='1.1'",
      "method='GET'",
      "path='/scope'",
      "query_string=b'a=%20'",
      "raw_path=b'/scope'",
      "root_path=''",
      "scheme='http'",
      "server=('127.0.0.1', 8000)",
      "type='http'",
    ])
  })

  it('has its path decoded, and no client on a Unix socket', async () => {
    const bytes = Buffer.from('/café').toString('latin1')
    const fields = ['http', '1.1', 'GET', 'http', bytes, '/caf%C3%A9', '', '', '', '', '/run/app.sock', '']
    const { text } = await shared.open(fields).answer()
    expect(text).toContain("path='/café'\n")
    expect(text).toContain("raw_path=b'/caf%C3%A9'")
    expect(text).toContain('client=None')
    expect(text).toContain("server=('/run/app.sock', None)")
  })
})

describe('request bodies', () => {
  it('reach the app as they come, and the answer leaves as it is sent', async () => {
    const stream = shared.open(asgiHead({ method: 'POST', path: '/echo' }), Buffer.from('one '), false)
    expect(await readText(stream)).toBe('one ')
    stream.body(Buffer.from('two '))
    expect(await readText(stream)).toBe('two ')
    stream.body(Buffer.from('three'), true)
    expect((await stream.answer()).text).toBe('three')
  })

  it('that the app never reads use up their credit and no more', async () => {
    const stream = shared.open(asgiHead({ method: 'POST', path: '/hello' }), undefined, false)
    stream.body(Buffer.alloc(1000))
    expect(await stream.answer()).toMatchObject({ text: 'hello', end: 'END' })
    stream.body(Buffer.alloc(1000), true)
    expect((await ask({})).text).toBe('hello')
  })

  const chunk = Buffer.alloc(65_536, 'm')
  const count = 800

  it('of 50 MiB take little memory', async () => {
    const host = await serve()
    const before = await peakMemoryMib(host.child.pid!)
    const digest = createHash('sha256')
    for (let index = 0; index < count; index++) digest.update(chunk)
    const stream = host.open(asgiHead({ method: 'POST', path: '/digest' }), undefined, false)
    await stream.sendBody(
      Array.from({ length: count }, () => chunk),
      262_144,
    )
    expect((await stream.answer()).text).toBe(`${count * chunk.length} ${digest.digest('hex')}`)
    expect((await peakMemoryMib(host.child.pid!)) - before).toBeLessThan(12)
  })

  it('and answers of 50 MiB take little memory', async () => {
    const host = await serve()
    const before = await peakMemoryMib(host.child.pid!)
    const stream = host.open(asgiHead({ path: '/stream', query: String(count) }))
    expect((await stream.answer()).body.length).toBe(count * chunk.length)
    expect((await peakMemoryMib(host.child.pid!)) - before).toBeLessThan(12)
  })
})

describe('disconnects', () => {
  it('reach receive(), and make send() raise OSError', async () => {
    const host = await serve()
    const waiting = host.open(asgiHead({ path: '/disconnect' }))
    waiting.cancel()
    expect((await waiting.answer()).end).toBe('CANCEL')
    const streaming = host.open(asgiHead({ path: '/forever' }))
    await streaming.next()
    streaming.cancel()
    expect((await streaming.answer()).end).toBe('CANCEL')
    expect((await ask({ path: '/events' }, host)).text).toMatch(/http.disconnect,http.disconnect,gone$/)
    expect(host.logs).toEqual([])
  })

  it('come after a complete response too', async () => {
    const host = await serve()
    expect((await ask({ path: '/after' }, host)).text).toBe('sent')
    expect((await ask({ path: '/events' }, host)).text).toBe('http.disconnect,http.disconnect')
  })

  it('end a stream that waits for credit', async () => {
    const host = await serve({ responseWindow: 1000 })
    const stream = host.open(asgiHead({ path: '/stream', query: '2' }))
    stream.givesCredit = false
    await host.until(() => stream.sentBytes === 1000)
    stream.cancel()
    expect((await stream.answer()).end).toBe('CANCEL')
    expect((await ask({ path: '/events' }, host)).text).toBe('')
    expect(host.logs).toEqual([])
  })
})

describe('websockets', () => {
  it('carry text and bytes of any size, both ways', async () => {
    const host = await serve({ responseWindow: 100_000, bodyWindow: 100_000 })
    const stream = connect(host, '/chat', { 'sec-websocket-protocol': 'one, two' })
    const accept = await stream.next()
    expect(accept.type).toBe(frameType.WS_ACCEPT)
    expect(frames.decodeWebSocketAccept(accept.payload)).toEqual({
      subprotocol: 'two',
      headers: ['x-a', 'b'],
    })
    for (const text of ['hello', '', 'ümlaut', 'x'.repeat(300_000)]) {
      sendMessage(stream, Buffer.from(text), true)
      const message = await readMessage(stream)
      expect(message.isText).toBe(true)
      expect(message.data.toString()).toBe(text.toUpperCase())
    }
    sendMessage(stream, Buffer.from([1, 2, 3]), false)
    expect(await readMessage(stream)).toEqual({ isText: false, data: Buffer.from([3, 2, 1]) })
  })

  it('close by the client, and the app learns code and reason', async () => {
    const host = await serve()
    const stream = connect(host, '/chat')
    await stream.next()
    host.write(frames.encodeWebSocketClose(stream.number, { code: 4000, reason: 'büe' }))
    expect(await readClose(stream)).toMatchObject({ code: 4000 })
    expect((await ask({ path: '/events' }, host)).text).toBe('4000 büe')
  })

  it('break off, and the app learns 1006', async () => {
    const host = await serve()
    const stream = connect(host, '/chat')
    await stream.next()
    stream.cancel()
    expect((await stream.next()).type).toBe(frameType.CANCEL)
    expect((await ask({ path: '/events' }, host)).text).toBe('1006 ')
    const gone = connect(host, '/chat-gone')
    await gone.next()
    gone.cancel()
    await gone.next()
    expect((await ask({ path: '/events' }, host)).text).toBe('1006 ,websocket.disconnect,OSError')
  })

  it.each([
    ['close', 4001, 'büe'],
    ['return', 1000, ''],
    ['raise', 1011, ''],
  ])('close by the app: %s', async (text, code, reason) => {
    const stream = connect(shared, '/chat')
    await stream.next()
    sendMessage(stream, Buffer.from(text), true)
    expect(await readClose(stream)).toEqual({ code, reason })
  })

  it('are refused with 403, with a response of the app, or with 500', async () => {
    const host = await serve()
    expect(await connect(host, '/refuse').answer()).toMatchObject({ status: 403, end: 'END' })
    expect(await connect(host, '/deny').answer()).toMatchObject({
      status: 401,
      text: 'who are you',
      end: 'END',
    })
    expect(await connect(host, '/nothing').answer()).toMatchObject({ status: 500, end: 'END' })
    await host.log(
      (line) => line.code === 'HAVN_ERR_APP_ASGI_INCOMPLETE' && line.message.includes('websocket.accept'),
    )
    expect(await connect(host, '/raise').answer()).toMatchObject({ status: 500, end: 'END' })
  })

  it('have a scope without a method', async () => {
    const host = await serve()
    expect(await connect(host, '/scope').answer()).toMatchObject({ status: 500 })
    const line = await host.log((seen) => seen.code === 'HAVN_ERR_APP_THREW')
    expect(line.message).toContain('http.response.start')
  })
})

describe('lifespan', () => {
  it('starts, shares its state, and shuts down on DRAIN', async () => {
    const host = await serve({ target: 'asgi_cases:with_lifespan' })
    expect(await host.ready()).toMatchObject({ threads: 0, lifespan: 'on' })
    expect((await ask({}, host)).text).toBe('1 1')
    expect((await ask({}, host)).text).toBe('1 2')
    const last = host.open(asgiHead({ path: '/wait', query: 'go' }))
    host.write(frames.drainString())
    await writeFile(path.join(host.directory, 'go'), '')
    expect((await last.answer()).text).toBe('waited')
    expect(await host.exit).toEqual({ code: 0, signal: null })
    expect(host.stderr).toBe('shutting down\n')
  })

  it('is unsupported where the app raises, which is no fault', async () => {
    expect(await shared.ready()).toMatchObject({ lifespan: 'unsupported' })
    expect(shared.logs.filter((line) => line.message.includes('lifespan'))).toEqual([])
  })

  it('is told of where the app raises after it took the startup event', async () => {
    const host = await serve({ target: 'asgi_cases:raising_lifespan' })
    expect(await host.ready()).toMatchObject({ lifespan: 'unsupported' })
    const line = await host.log((seen) => seen.code === 'HAVN_ERR_APP_LIFESPAN_RAISED')
    expect(line).toMatchObject({ level: 'warn', message: expect.stringContaining('startup broke') as string })
    expect((await ask({}, host)).text).toBe('hello')
  })

  it('fails where the app says so', async () => {
    const host = await TestHost.start({ ...app, target: 'asgi_cases:failing_lifespan' })
    own.push(host)
    expect(await host.failed()).toEqual({
      reason: 'lifespan',
      message: "The app's lifespan startup failed: no database",
      traceback: '',
    })
    expect(await host.exit).toEqual({ code: 3, signal: null })
  })

  it('can be off', async () => {
    const host = await serve({ target: 'asgi_cases:needs_no_lifespan', lifespan: 'off' })
    expect(await host.ready()).toMatchObject({ lifespan: 'off' })
    expect((await ask({ path: '/' }, host)).text).not.toContain('state=')
    expect(host.stderr).toBe('')
  })

  it('ends requests that outlast the drain', async () => {
    const host = await serve({ target: 'asgi_cases:with_lifespan', drainMs: 100 })
    const stream = host.open(asgiHead({ path: '/forever' }))
    await stream.next()
    host.write(frames.drainString())
    expect((await stream.answer()).end).toBe('CANCEL')
    expect(await host.exit).toEqual({ code: 0, signal: null })
    expect(host.stderr).toBe('cancelled\nshutting down\n')
  })
})

describe('the scoreboard', () => {
  it('counts the requests, and tells of the last one', async () => {
    const host = await serve()
    await ask({}, host)
    const stream = host.open(asgiHead({ path: '/wait', query: 'go' }))
    await expect.poll(async () => (await readFile(host.scoreboard)).readUInt32LE(0)).toBe(stream.number)
    expect((await readFile(host.scoreboard)).readBigUInt64LE(16)).toBe(2n)
    await writeFile(path.join(host.directory, 'go'), '')
    await stream.answer()
    await expect.poll(async () => (await readFile(host.scoreboard)).readUInt32LE(4)).toBe(0)
  })
})

async function serve(options: Partial<TestHostOptions> = {}): Promise<TestHost> {
  const host = await TestHost.serve({ ...app, ...options })
  own.push(host)
  return host
}

async function ask(request: TestRequest, host = shared): Promise<Answer> {
  return host.open(asgiHead(request)).answer()
}

function connect(host: TestHost, url: string, headers: Record<string, string> = {}): TestStream {
  return host.open(asgiHead({ path: url, headers }, 'websocket'), undefined, false)
}

async function readText(stream: TestStream): Promise<string> {
  let text = ''
  while (text === '') {
    const frame = await stream.next()
    if (frame.type === frameType.BODY) text += frame.payload.toString()
    else text += frames.decodeResponse(frame.payload).body.toString()
  }
  return text
}

function sendMessage(stream: TestStream, data: Buffer, isText: boolean): void {
  for (const bytes of frames.encodeWebSocketMessage(stream.number, data, isText)) stream.host.write(bytes)
}

async function readMessage(stream: TestStream): Promise<{ isText: boolean; data: Buffer }> {
  const parts: Buffer[] = []
  for (;;) {
    const frame = await stream.next()
    if (frame.type === frameType.CREDIT) continue
    expect(frame.type).toBe(frameType.WS_MESSAGE)
    parts.push(frame.payload)
    if (!frames.hasFlag(frame, frameFlag.MORE))
      return { isText: frames.hasFlag(frame, frameFlag.TEXT), data: Buffer.concat(parts) }
  }
}

async function readClose(stream: TestStream): Promise<frames.WebSocketClose> {
  for (;;) {
    const frame = await stream.next()
    if (frame.type === frameType.WS_CLOSE) return frames.decodeWebSocketClose(frame.payload)
  }
}
