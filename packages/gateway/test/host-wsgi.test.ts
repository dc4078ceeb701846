import { createHash } from 'node:crypto'
import { readFile, readdir, readlink, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import * as frames from '../src/frames/index.ts'
import { TestHost, peakMemoryMib, wsgiHead } from './host-gateway.ts'
import type { Answer, TestHostOptions, TestRequest } from './host-gateway.ts'

const { frameFlag, frameType } = frames
const app = { interface: 'wsgi', target: 'wsgi_cases:application' } as const

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
    ['a list of one', { path: '/hello' }, { status: 200, reason: 'OK', text: 'hello', end: 'END' }],
    ['a list of several', { path: '/list' }, { text: 'ab' }],
    ['an empty iterable', { path: '/empty' }, { status: 200, text: '' }],
    ['a generator', { path: '/stream', query: '3' }, { text: 'x'.repeat(3 * 65_536) }],
    ['start_response within the iteration', { path: '/late' }, { status: 202, text: 'late' }],
    ['the write callable', { path: '/write' }, { text: 'first second third' }],
    ['exc_info before the head went out', { path: '/replaced' }, { reason: 'Replaced', text: 'replaced' }],
    ['repeated headers', { path: '/cookies' }, { rawHeaders: ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=é'] }],
    ['204', { path: '/no-content' }, { status: 204, text: '' }],
    ['304', { path: '/not-modified' }, { status: 304, text: '', rawHeaders: ['ETag', '"a"'] }],
    ['a body of the declared length', { path: '/length', query: '6,2,4' }, { text: 'xxxxxx', end: 'END' }],
    ['nothing where nothing was declared', { path: '/length', query: '0' }, { text: '', end: 'END' }],
  ])('%s', async (_, request, expected) => {
    expect(await ask(request)).toMatchObject(expected)
  })

  it('go without a body for HEAD, with the length that GET has', async () => {
    expect(await ask({ method: 'HEAD', path: '/hello' })).toMatchObject({
      text: '',
      end: 'END',
      headers: { 'content-length': '5' },
    })
    expect(await ask({ method: 'HEAD', path: '/stream', query: '9' })).toMatchObject({ text: '', end: 'END' })
    expect(await ask({ method: 'HEAD', path: '/write' })).toMatchObject({ text: '', end: 'END' })
    expect(await ask({ method: 'HEAD', path: '/length', query: '6,2,4' })).toMatchObject({
      text: '',
      headers: { 'content-length': '6' },
    })
  })

  it('lose hop-by-hop headers, and the log says so once', async () => {
    for (let round = 0; round < 2; round++)
      expect((await ask({ path: '/hop-by-hop' })).rawHeaders).toEqual([
        'Content-Type',
        'text/plain',
        'X-Kept',
        '1',
      ])
    const lines = shared.logs.filter((line) => line.code === 'HAVN_ERR_APP_HOP_BY_HOP')
    expect(lines.map((line) => line.message.match(/header (\S+),/)?.[1])).toEqual([
      'Connection',
      'Transfer-Encoding',
    ])
  })

  it('of a chunk each go out before the app is asked for the next', async () => {
    const stream = shared.open(wsgiHead({ path: '/endless' }))
    for (let count = 0; count < 3; count++) await stream.next()
    stream.cancel()
    expect((await stream.answer()).end).toBe('CANCEL')
  })

  it('of the declared length end at once, though the app goes on', async () => {
    const host = await serve()
    const stream = host.open(wsgiHead({ path: '/after-length', query: 'go' }))
    expect(await stream.answer()).toMatchObject({ text: 'body', end: 'END' })
    await writeFile(path.join(host.directory, 'go'), '')
    expect((await ask({ path: '/closed' }, host)).status).toBe(200)
  })
})

describe('mistakes of an app', () => {
  it.each<[string, TestRequest, Partial<Answer>, string, RegExp]>([
    ['an exception', { path: '/raise' }, { status: 500, end: 'END' }, 'THREW', /ValueError: it broke/],
    ['sys.exit', { path: '/exit' }, { status: 500 }, 'THREW', /SystemExit: 9/],
    ['an exception in the iteration', { path: '/raise-in-iteration' }, { status: 500 }, 'THREW', /it broke/],
    ['an exception midway', { path: '/raise-midway' }, { text: 'begun', end: 'CANCEL' }, 'THREW', /it broke/],
    ['exc_info after the head went out', { path: '/too-late' }, { end: 'CANCEL' }, 'THREW', /after the head/],
    ['start_response twice', { path: '/twice' }, { status: 500 }, 'THREW', /called twice/],
    ['a body of str', { path: '/str' }, { status: 500 }, 'WSGI_BODY', /yielded str.*encode\("utf-8"\)/],
    ['a list of str', { path: '/str-list' }, { status: 500 }, 'WSGI_BODY', /yielded str/],
    ['str itself', { path: '/str-itself' }, { status: 500 }, 'WSGI_BODY', /returned str.*into a list/],
    ['bytes itself', { path: '/bytes-itself' }, { status: 500 }, 'WSGI_BODY', /returned bytes.*into a list/],
    ['None', { path: '/none' }, { status: 500 }, 'WSGI_BODY', /returned NoneType/],
    ['no start_response', { path: '/no-start' }, { status: 500 }, 'WSGI_START_RESPONSE', /never called/],
    ['a status of int', { path: '/bad-status' }, { status: 500 }, 'THREW', /status must be str/],
    ['a header of int', { path: '/bad-header' }, { status: 500 }, 'THREW', /pairs of str/],
    ['a line break in a header', { path: '/split-header' }, { status: 500 }, 'THREW', /line break or NUL/],
    ['a header beyond latin-1', { path: '/wide-header' }, { status: 500 }, 'THREW', /latin-1/],
    ['close() that raises', { path: '/close-raises' }, { text: 'sent' }, 'THREW', /close broke/],
    [
      'more than declared',
      { path: '/length', query: '3,2,4' },
      { text: 'xxx' },
      'CONTENT_LENGTH',
      /6 bytes.*of 3/,
    ],
    ['much more', { path: '/length', query: '3,9,9' }, { text: 'xxx' }, 'CONTENT_LENGTH', /9 bytes.*of 3/],
    [
      'a list of more',
      { path: '/length-list', query: '3,9' },
      { text: 'xxx' },
      'CONTENT_LENGTH',
      /9 bytes.*of 3/,
    ],
    [
      'something after enough',
      { path: '/length', query: '3,3,1' },
      { text: 'xxx' },
      'CONTENT_LENGTH',
      /4 bytes/,
    ],
    [
      'less than declared',
      { path: '/length', query: '9,2' },
      { end: 'CANCEL' },
      'CONTENT_LENGTH',
      /2 bytes.*of 9/,
    ],
    [
      'a list of less',
      { path: '/length-list', query: '9,2' },
      { end: 'CANCEL' },
      'CONTENT_LENGTH',
      /2 bytes.*of 9/,
    ],
    [
      'nothing of it',
      { path: '/length', query: '9' },
      { text: '', end: 'CANCEL' },
      'CONTENT_LENGTH',
      /0 bytes.*of 9/,
    ],
  ])('%s', async (_, request, expected, code, message) => {
    const host = await serve()
    expect(await ask(request, host)).toMatchObject(expected)
    const line = await host.log((seen) => seen.code === `HAVN_ERR_APP_${code}`)
    expect(line).toMatchObject({ level: 'error', message: expect.stringMatching(message) as string })
    expect((await ask({}, host)).text).toBe('hello')
  })

  it('show the traceback from the first frame of the app on', async () => {
    await ask({ path: '/raise' })
    const { traceback } = await shared.log((line) => line.message.includes('it broke'))
    expect(traceback).toMatch(
      /^Traceback \(most recent call last\):\n {2}File ".*wsgi_cases.py", line \d+, in application/,
    )
    expect(traceback).toMatch(/ValueError: it broke\n$/)
    expect(traceback).not.toContain('havn_host')
  })

  it('close the iterable on every path', async () => {
    const host = await serve()
    for (const name of ['empty', 'raise-in-iteration', 'raise-midway', 'too-late', 'str', 'no-content'])
      await ask({ path: `/${name}` }, host)
    await ask({ method: 'HEAD', path: '/stream', query: '9' }, host)
    await ask({ path: '/length', query: '2,9' }, host)
    await ask({ path: '/length', query: '9,2' }, host)
    await expect
      .poll(() => askClosed(host))
      .toBe('empty,raise_in_iteration,raise_midway,too_late,str,no_content,stream,length,length')
  })
})

describe('environ', () => {
  it('is what the gateway sent and what PEP 3333 asks for', async () => {
    const host = await serve({ threads: 2 })
    const fields = wsgiHead({ path: '/environ', headers: { Cookie: 'a=1', 'X-Name': 'é' } })
    const { text } = await host.open(fields).answer()
    expect(text.split('\n')).toEqual(
      expect.arrayContaining([
        "HTTP_COOKIE='a=1'",
        "HTTP_HOST='localhost:8000'",
        "HTTP_X_NAME='é'",
        "PATH_INFO='/environ'",
        "REMOTE_ADDR='127.0.0.1'",
        "SCRIPT_NAME=''",
        "wsgi.url_scheme='http'",
        'wsgi.version=(1, 0)',
        'wsgi.input_terminated=True',
        'wsgi.multithread=True',
        'wsgi.multiprocess=True',
        'wsgi.run_once=False',
      ]),
    )
    expect(text).not.toContain('havn.deadline')
    expect(text).not.toContain('CONTENT_LENGTH')
  })

  it('tells of one thread, and of the deadline', async () => {
    const host = await serve({ threads: 1 })
    const stream = host.openSilently()
    const head = frames.joinHead(wsgiHead({ path: '/environ' }))
    host.write(frames.requestString({ stream: stream.number, deadlineMs: 60_000, head }))
    const { text } = await stream.answer()
    expect(text).toContain('wsgi.multithread=False')
    expect(text).toMatch(/havn\.deadline=\d+\.\d+/)
  })

  it('has wsgi.errors, which goes to stderr', async () => {
    await ask({ path: '/print' })
    await expect.poll(() => shared.stderr).toContain('to wsgi.errors\n')
  })
})

describe('request bodies', () => {
  const data = Buffer.from('one\ntwo\nthree\nfour')

  it('come within REQUEST, in frames, or in a file', async () => {
    expect((await shared.open(wsgiHead({ method: 'POST', path: '/echo' }), data).answer()).text).toBe(
      data.toString(),
    )
    const stream = shared.open(wsgiHead({ method: 'POST', path: '/echo' }), data.subarray(0, 5), false)
    stream.body(data.subarray(5, 9))
    stream.body(data.subarray(9), true)
    expect(await stream.answer()).toMatchObject({ status: 201, text: data.toString() })
    const { answer, file } = await askWithFile(shared, '/echo', data)
    expect(answer.text).toBe(data.toString())
    await expect(stat(file)).rejects.toThrow('ENOENT')
  })

  it('are files with read, readline, readlines and iteration', async () => {
    const expected = "[b'one\\n', b'tw', b'o\\n', b'three\\n|four', b'']"
    const inline = await shared.open(wsgiHead({ method: 'POST', path: '/lines' }), data).answer()
    expect(inline.text).toBe(expected)
    expect((await askWithFile(shared, '/lines', data)).answer.text).toBe(expected)
  })

  it('have their length in environ, though the client sent none', async () => {
    const { text } = await shared.open(wsgiHead({ method: 'POST', path: '/environ' }), data).answer()
    expect(text).toContain(`CONTENT_LENGTH='${data.length}'`)
  })

  it('in a file that is gone: 500, and the log says why', async () => {
    const stream = shared.openSilently()
    const head = frames.joinHead(wsgiHead({ method: 'POST', path: '/echo' }))
    shared.write(frames.encodeFileRequest({ stream: stream.number, deadlineMs: 0, head }, '/nowhere/body'))
    expect((await stream.answer()).status).toBe(500)
    await shared.log(
      (line) => line.code === 'HAVN_ERR_APP_REQUEST_BODY' && line.message.includes('/nowhere/body'),
    )
  })
})

describe('files', () => {
  it('go out as FILE from where they stand', async () => {
    const host = await serve()
    const file = path.join(host.directory, 'é.bin')
    await writeFile(file, Buffer.alloc(300_000, 'z'))
    const whole = await ask({ path: '/file', query: `${Buffer.from(file).toString('latin1')},0,` }, host)
    expect(whole.status).toBe(500) // The query is not decoded: there is no file of that name.
    const plain = path.join(host.directory, 'plain.bin')
    await writeFile(plain, Buffer.alloc(300_000, 'z'))
    expect(await ask({ path: '/file', query: `${plain},0,` }, host)).toMatchObject({
      end: 'FILE',
      file: { path: plain, offset: 0, length: 300_000 },
      headers: { 'content-length': '300000' },
    })
    expect(await ask({ path: '/file', query: `${plain},1000,200000` }, host)).toMatchObject({
      end: 'FILE',
      file: { path: plain, offset: 1000, length: 200_000 },
    })
    expect(await ask({ path: '/file', query: `${plain},299990,` }, host)).toMatchObject({
      end: 'END',
      text: 'zzzzzzzzzz',
    })
    expect(await ask({ path: '/file', query: `${plain},299990,50` }, host)).toMatchObject({ end: 'CANCEL' })
    expect(await ask({ method: 'HEAD', path: '/file', query: `${plain},0,` }, host)).toMatchObject({
      end: 'END',
      text: '',
    })
  })

  it('that close() removes are sent all the same, and no thread waits for it', async () => {
    const host = await serve({ threads: 1 })
    const descriptors = async () => (await readdir(`/proc/${host.child.pid}/fd`)).length
    await ask({}, host)
    const before = await descriptors()
    const stream = host.open(wsgiHead({ path: '/passing-file' }))
    stream.opensFiles = false
    await host.until(() => stream.file !== undefined)
    await expect.poll(() => askClosed(host)).toBe('passing_file')
    const named = frames.decodeFile(stream.frames.at(-1)!.payload).path
    expect(await readFile(named, 'latin1')).toBe('p'.repeat(100_000))
    expect(await readlink(named)).toMatch(/ \(deleted\)$/)
    stream.opened()
    expect(await stream.answer()).toMatchObject({ end: 'FILE', headers: { 'content-length': '100000' } })
    expect(await descriptors()).toBe(before)
  })

  it('are let go of when the gateway does not want them', async () => {
    const host = await serve()
    await ask({}, host)
    const before = (await readdir(`/proc/${host.child.pid}/fd`)).length
    const streams = Array.from({ length: 20 }, () => host.open(wsgiHead({ path: '/passing-file' })))
    for (const stream of streams) stream.opensFiles = false
    for (const stream of streams.slice(10)) stream.cancel()
    await host.until(() => streams.slice(0, 10).every((stream) => stream.file !== undefined))
    for (const stream of streams.slice(0, 10)) stream.cancel()
    for (const stream of streams) expect((await stream.answer()).end).toMatch(/CANCEL|FILE/)
    expect((await readdir(`/proc/${host.child.pid}/fd`)).length).toBe(before)
    expect(host.logs).toEqual([])
  })

  it('without a name are read by the host', async () => {
    expect(await ask({ path: '/unlinked-file' })).toMatchObject({
      end: 'END',
      text: 'y'.repeat(100_000),
    })
  })
})

describe('wsgiref.validate', () => {
  it('finds nothing', async () => {
    const host = await serve()
    const body = Buffer.from('body')
    const head = wsgiHead({ method: 'POST', path: '/valid', headers: { 'Content-Length': '4' } })
    expect((await host.open(head, body).answer()).text).toBe('valid body')
    expect((await ask({ path: '/valid' }, host)).text).toBe('valid ')
    expect((await ask({ method: 'HEAD', path: '/valid' }, host)).status).toBe(200)
    expect((await ask({ path: '/valid-write' }, host)).text).toBe('written valid')
    expect((await ask({ path: '/valid-file' }, host)).text).toContain('WSGI apps (PEP 3333)')
    expect(host.logs).toEqual([])
    expect(host.stderr).toBe('')
  })
})

describe('cancelling', () => {
  it('drops what waits, without a word to the app', async () => {
    const host = await serve({ threads: 1 })
    const first = host.open(wsgiHead({ path: '/wait', query: 'go' }))
    const second = host.open(wsgiHead({ path: '/hello' }))
    second.cancel()
    await writeFile(path.join(host.directory, 'go'), '')
    expect((await first.answer()).text).toBe('waited')
    expect(await second.answer()).toMatchObject({ status: 0, end: 'CANCEL' })
    expect((await ask({ path: '/started' }, host)).text).toBe('wait,started')
  })

  it.each([1, 4])('closes a running generator, with %i threads', async (threads) => {
    const host = await serve({ threads })
    const stream = host.open(wsgiHead({ path: '/endless' }))
    await stream.next()
    stream.cancel()
    expect((await stream.answer()).end).toBe('CANCEL')
    await expect.poll(() => askClosed(host)).toBe('endless')
  })

  it.each([1, 4])('ends a stream that waits for credit, with %i threads', async (threads) => {
    const host = await serve({ threads, responseWindow: 1000 })
    const stream = host.open(wsgiHead({ path: '/stream', query: '4' }))
    stream.givesCredit = false
    await host.until(() => stream.sentBytes === 1000)
    stream.cancel()
    expect((await stream.answer()).end).toBe('CANCEL')
    await expect.poll(() => askClosed(host)).toBe('stream')
  })

  it('ends a body that never became whole', async () => {
    const stream = shared.open(wsgiHead({ method: 'POST', path: '/echo' }), Buffer.from('a'), false)
    stream.cancel()
    expect(await stream.answer()).toMatchObject({ status: 0, end: 'CANCEL' })
  })
})

describe('threads', () => {
  it('hands the lead on when a request runs long', async () => {
    const host = await serve({ threads: 3 })
    const slow = ['a', 'b'].map((query) => host.open(wsgiHead({ path: '/wait', query })))
    for (let round = 0; round < 50; round++) expect((await ask({}, host)).text).toBe('hello')
    const queued = host.open(wsgiHead({ path: '/wait', query: 'c' }))
    for (const name of ['c', 'b', 'a']) await writeFile(path.join(host.directory, name), '')
    for (const stream of [...slow, queued]) expect((await stream.answer()).text).toBe('waited')
  })

  it('sends what is held when a long request follows fast ones', async () => {
    const host = await serve({ threads: 1 })
    const head = frames.joinHead(wsgiHead({}))
    const burst = (count: number): { text: string; streams: ReturnType<TestHost['openSilently']>[] } => {
      const streams = Array.from({ length: count }, () => host.openSilently())
      const text = streams
        .map(({ number }) => frames.requestString({ stream: number, deadlineMs: 0, head }))
        .join('')
      return { text, streams }
    }
    const warm = burst(300)
    host.write(warm.text)
    for (const stream of warm.streams) expect((await stream.answer()).text).toBe('hello')
    const fast = burst(5)
    const slow = host.openSilently()
    const slowHead = frames.joinHead(wsgiHead({ path: '/wait', query: 'go' }))
    host.write(fast.text + frames.requestString({ stream: slow.number, deadlineMs: 0, head: slowHead }))
    for (const stream of fast.streams) expect((await stream.answer()).text).toBe('hello')
    await writeFile(path.join(host.directory, 'go'), '')
    expect((await slow.answer()).text).toBe('waited')
  })

  it.each([
    [1, 1],
    [2, 1],
    [2, 2],
    [4, 3],
  ])('%i threads serve on with %i streams that wait for credit', async (threads, blocked) => {
    const host = await serve({ threads, responseWindow: 100_000 })
    const streams = Array.from({ length: blocked }, () =>
      host.open(wsgiHead({ path: '/stream', query: '8' })),
    )
    for (const stream of streams) stream.givesCredit = false
    await host.until(() => streams.every((stream) => stream.sentBytes === 100_000))
    host.write(frames.frameString({ type: frameType.PING }, 'still'))
    await host.until(() => host.pongs.some((pong) => pong.toString() === 'still'))
    const waiting = host.open(wsgiHead({}))
    if (blocked < threads) expect((await waiting.answer()).text).toBe('hello')
    for (const stream of streams) stream.credit(1_000_000)
    for (const stream of streams) expect((await stream.answer()).body.length).toBe(8 * 65_536)
    if (blocked === threads) expect((await waiting.answer()).text).toBe('hello')
    for (let round = 0; round < 20; round++) expect((await ask({}, host)).text).toBe('hello')
  })

  it('survives many streams at once, each with little credit', async () => {
    const host = await serve({ threads: 3, responseWindow: 5000 })
    const streams = Array.from({ length: 24 }, (_, index) =>
      host.open(wsgiHead(index % 3 === 0 ? { path: '/hello' } : { path: '/stream', query: '2' })),
    )
    const sizes = await Promise.all(streams.map(async (stream) => (await stream.answer()).body.length))
    expect(sizes).toEqual(streams.map((_, index) => (index % 3 === 0 ? 5 : 2 * 65_536)))
  })

  it('uses stream numbers again', async () => {
    const host = await serve({ threads: 2 })
    const stream = host.openSilently()
    const request = frames.requestString({
      stream: stream.number,
      deadlineMs: 0,
      head: frames.joinHead(wsgiHead({})),
    })
    for (let round = 0; round < 100; round++) {
      host.write(request)
      expect((await stream.answer()).text).toBe('hello')
    }
  })
})

describe('memory', () => {
  const chunk = Buffer.alloc(65_536, 'm')
  const size = 800
  const digest = createHash('sha256')
  for (let index = 0; index < size; index++) digest.update(chunk)
  const expected = `${size * chunk.length} ${digest.digest('hex')}`

  it('is bounded for 50 MiB to the app, in frames', async () => {
    const host = await serve()
    const before = await peakMemoryMib(host.child.pid!)
    const stream = host.open(wsgiHead({ method: 'POST', path: '/digest' }), undefined, false)
    await stream.sendBody(
      Array.from({ length: size }, () => chunk),
      262_144,
    )
    expect((await stream.answer()).text).toBe(expected)
    expect((await peakMemoryMib(host.child.pid!)) - before).toBeLessThan(12)
  })

  it('is bounded for 50 MiB to the app, in a file', async () => {
    const host = await serve()
    const before = await peakMemoryMib(host.child.pid!)
    const data = Buffer.concat(Array.from({ length: size }, () => chunk))
    expect((await askWithFile(host, '/digest', data)).answer.text).toBe(expected)
    expect((await peakMemoryMib(host.child.pid!)) - before).toBeLessThan(12)
  })

  it('is bounded for 50 MiB from the app', async () => {
    const host = await serve()
    const before = await peakMemoryMib(host.child.pid!)
    const stream = host.open(wsgiHead({ path: '/stream', query: String(size) }))
    let received = 0
    for (;;) {
      const frame = await stream.next()
      received +=
        frame.type === frameType.BODY
          ? frame.payload.length
          : frames.decodeResponse(frame.payload).body.length
      if (frames.hasFlag(frame, frameFlag.END)) break
    }
    expect(received).toBe(size * chunk.length)
    expect((await peakMemoryMib(host.child.pid!)) - before).toBeLessThan(12)
  })
})

describe('the scoreboard', () => {
  it('tells which request is in the app, and how many were', async () => {
    const host = await serve({ threads: 1 })
    await ask({}, host)
    const stream = host.open(wsgiHead({ path: '/wait', query: 'go' }))
    await expect.poll(async () => (await readFile(host.scoreboard)).readUInt32LE(0)).toBe(stream.number)
    const slot = await readFile(host.scoreboard)
    expect(slot.length).toBe(64)
    expect(slot.readUInt32LE(4)).toBe(2)
    expect(slot.readDoubleLE(8)).toBeGreaterThan(0)
    expect(slot.readBigUInt64LE(16)).toBe(2n)
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
  return host.open(wsgiHead(request)).answer()
}

/** The iterables that were closed: a response goes out before its close(), so the last one may be to come. */
async function askClosed(host: TestHost): Promise<string> {
  return (await ask({ path: '/closed' }, host)).text
}

async function askWithFile(
  host: TestHost,
  url: string,
  data: Buffer,
): Promise<{ answer: Answer; file: string }> {
  const stream = host.openSilently()
  const file = path.join(host.directory, `body-${stream.number}`)
  await writeFile(file, data)
  const head = frames.joinHead(wsgiHead({ method: 'POST', path: url }))
  host.write(frames.encodeFileRequest({ stream: stream.number, deadlineMs: 0, head }, file))
  return { answer: await stream.answer(), file }
}
