import { createHash, randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { readCounters } from '../src/dispatch/counters.ts'
import { collectGarbage } from './collect-garbage.ts'
import { hasPython, startPython } from './python-host-process.ts'
import { exchangeRaw, fetchFrom, keepAliveAgent, startFront, until } from './python-host-setup.ts'
import type { PythonFront } from './python-host-setup.ts'

const app = String.raw`
import hashlib, json, os, threading, time
from wsgiref.util import FileWrapper
from wsgiref.validate import validator

meeting = threading.Barrier(4, timeout=10)

def digest(environ, start):
    found, size = hashlib.sha256(), 0
    while True:
        chunk = environ['wsgi.input'].read(65536)
        if not chunk: break
        found.update(chunk); size += len(chunk)
    return whole(start, f"{found.hexdigest()} {size} {environ.get('CONTENT_LENGTH')}".encode())

def whole(start, body, status='200 OK', headers=()):
    start(status, [('Content-Type', 'text/plain'), *headers])
    return [body]

class Streamed:
    def __init__(self, count): self.count = count
    def __iter__(self):
        for _ in range(self.count): yield b'x' * 50000
    def close(self):
        with open(os.environ['CLOSED'], 'a') as file: file.write('closed\n')

def application(environ, start):
    path = environ['PATH_INFO']
    if path == '/environ':
        return whole(start, json.dumps({key: value for key, value in environ.items() if isinstance(value, str)}).encode())
    if path == '/digest':
        return digest(environ, start)
    if path == '/stream':
        start('200 OK', [('Content-Type', 'text/plain')])
        return Streamed(1000)
    if path == '/file':
        size = os.path.getsize(os.environ['FILM'])
        start('200 OK', [('Content-Type', 'text/plain'), ('Content-Length', str(size))])
        return environ['wsgi.file_wrapper'](open(os.environ['FILM'], 'rb'))
    if path == '/slow':
        time.sleep(0.3)
        return whole(start, b'slow')
    if path == '/meet':
        meeting.wait()
        return whole(start, b'met')
    if path == '/nap':
        time.sleep(3600)
    if path == '/raise':
        raise ValueError('trouble')
    if path == '/str':
        start('200 OK', [('Content-Type', 'text/plain')])
        return ['text']
    if path == '/split':
        return whole(start, b'x', headers=[('X-Split', 'a\r\nb')])
    if path == '/empty':
        start('204 No Content', [])
        return []
    if path == '/die':
        os._exit(9)
    return whole(start, b'hello')
`

async function serve(
  options: Parameters<typeof startFront>[1] & { threads?: number; source?: string } = {},
): Promise<PythonFront> {
  const { threads, source = app, ...configured } = options
  const front = await startFront('wsgi', configured)
  const env = { CLOSED: join(front.directory, 'closed'), FILM: join(front.directory, 'film') }
  for (const worker of configured.workerNumbers ?? [1])
    await startPython(front, { source, worker, threads, env })
  return front
}

describe.skipIf(!hasPython)('a WSGI app in CPython', () => {
  it('gets its environ', async () => {
    const front = await serve()
    const headers = { Host: 'shop.test:81', Cookie: ['a=1', 'b=2'], 'X-Latin': 'caf\xe9' }
    const environ = JSON.parse((await fetchFrom(front, '/environ?x=%20', { headers })).text)
    expect(environ).toMatchObject({
      REQUEST_METHOD: 'GET',
      SCRIPT_NAME: '',
      PATH_INFO: '/environ',
      QUERY_STRING: 'x=%20',
      HTTP_HOST: 'shop.test:81',
      HTTP_COOKIE: 'a=1; b=2',
      HTTP_X_LATIN: 'caf\xe9',
      SERVER_PORT: String(front.port),
      REMOTE_ADDR: '127.0.0.1',
    })
  })

  it('passes wsgiref.validate', async () => {
    const source = `${app}\napplication = validator(application)\n`
    const front = await serve({ source })
    expect((await fetchFrom(front)).text).toBe('hello')
    const post = await fetchFrom(front, '/', {
      method: 'POST',
      body: 'abc',
      headers: { 'Content-Type': 'text/plain' },
    })
    expect(post.text).toBe('hello')
    expect((await fetchFrom(front, '/', { method: 'HEAD' })).status).toBe(200)
    expect(front.lines).toEqual([])
  })

  it.each([
    ['none', 0],
    ['within REQUEST', 65_536],
    ['in memory', 500_000],
    ['in a file', 50_000_000],
  ])('reads a body %s', async (_, bytes) => {
    const front = await serve()
    const body = randomBytes(bytes)
    const answer = await fetchFrom(front, '/digest', {
      method: 'POST',
      body,
      headers: { 'Content-Length': bytes },
    })
    expect(answer.text).toBe(`${createHash('sha256').update(body).digest('hex')} ${bytes} ${bytes}`)
    await until(async () => (await front.spools()).length === 0)
  })

  it('reads a chunked body, whose length it is told', async () => {
    const front = await serve()
    const text = await exchangeRaw(
      front,
      'POST /digest HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
    )
    expect(text).toContain(`${createHash('sha256').update('abc').digest('hex')} 3 3`)
  })

  it('takes 50 MB up and sends 50 MB down within bounded memory', async () => {
    const front = await serve()
    collectGarbage()
    const before = process.memoryUsage().arrayBuffers
    let most = 0
    const watch = setInterval(() => {
      collectGarbage()
      most = Math.max(most, process.memoryUsage().arrayBuffers - before)
    }, 20)
    onTestFinished(() => clearInterval(watch))
    const part = randomBytes(50_000)
    const up = await new Promise<string>((resolve, reject) => {
      const request = httpRequest({
        host: '127.0.0.1',
        port: front.port,
        path: '/digest',
        method: 'POST',
        agent: false,
      })
      request.on('response', (response) => {
        let text = ''
        response.on('data', (chunk: Buffer) => (text += chunk.toString()))
        response.on('end', () => resolve(text))
      })
      request.on('error', reject)
      let left = 1000
      const write = () => {
        while (left-- > 0) if (!request.write(part)) return void request.once('drain', write)
        request.end()
      }
      write()
    })
    expect(up).toMatch(/ 50000000 50000000$/)
    const down = await new Promise<number>((resolve) => {
      httpRequest({ host: '127.0.0.1', port: front.port, path: '/stream', agent: false }, (response) => {
        let bytes = 0
        response.on('data', (chunk: Buffer) => (bytes += chunk.length))
        response.on('end', () => resolve(bytes))
      }).end()
    })
    expect(down).toBe(50_000_000)
    // Client and gateway share this process.
    expect(most).toBeLessThan(20_000_000)
  }, 60_000)

  it('sends a file', async () => {
    const front = await serve()
    const film = randomBytes(5_000_000)
    await writeFile(join(front.directory, 'film'), film)
    const answer = await fetchFrom(front, '/file')
    expect([answer.headers['content-length'], answer.body.equals(film)]).toEqual(['5000000', true])
    const head = await fetchFrom(front, '/file', { method: 'HEAD' })
    expect([head.headers['content-length'], head.body.length]).toEqual(['5000000', 0])
  })

  it('is not held by clients that read slowly, and closes its iterable when they leave', async () => {
    const front = await serve({ threads: 2 })
    const slow = connect(front.port, '127.0.0.1', () => slow.write('GET /stream HTTP/1.1\r\nHost: a\r\n\r\n'))
    slow.pause()
    await until(() => front.host.status().workers[0]?.inFlight === 1)
    expect((await fetchFrom(front, '/stream')).body.length).toBe(50_000_000)
    for (let n = 0; n < 20; n++) expect((await fetchFrom(front)).text).toBe('hello')
    slow.destroy()
    await until(() => front.host.status().workers[0]?.inFlight === 0)
    expect(await readFile(join(front.directory, 'closed'), 'utf8')).toBe('closed\nclosed\n')
  }, 60_000)

  it.each([
    ['/raise', 500, /ValueError: trouble/],
    ['/str', 500, /str/],
    ['/split', 500, /X-Split/],
  ])('that does wrong (%s) answers %d, says why, and lives on', async (path, status, why) => {
    const front = await serve()
    expect((await fetchFrom(front, path)).status).toBe(status)
    await until(() => front.lines.some((line) => line.level === 'error'))
    const line = front.lines.find(({ level }) => level === 'error')
    expect(`${line?.message} ${line?.['traceback']}`).toMatch(why)
    expect(line).toMatchObject({ worker: 1, request: 'request-1' })
    expect((await fetchFrom(front)).text).toBe('hello')
    expect(front.gone).toEqual([])
  })

  it('may have nothing to say', async () => {
    const front = await serve()
    const answer = await fetchFrom(front, '/empty')
    expect([answer.status, answer.reason, answer.text]).toEqual([204, 'No Content', ''])
  })

  it('runs as many requests at once as it has threads', async () => {
    const front = await serve({ threads: 4 })
    // Each of the four waits in the app for the other three.
    const answers = await Promise.all(Array.from({ length: 4 }, () => fetchFrom(front, '/meet')))
    expect(answers.map(({ text }) => text)).toEqual(['met', 'met', 'met', 'met'])
  })

  it('is shared between two workers, and loses only what a dying one had', async () => {
    const front = await serve({ workerNumbers: [1, 2] })
    const slow = Array.from({ length: 4 }, () => fetchFrom(front, '/slow'))
    await until(() => front.host.status().workers.every(({ inFlight }) => inFlight === 2))
    await Promise.all(slow)
    expect((await fetchFrom(front, '/die')).status).toBe(502)
    await until(() => front.gone.length === 1)
    expect(front.gone[0]?.why).toMatchObject({ expected: false, error: undefined })
    for (let n = 0; n < 10; n++) expect((await fetchFrom(front)).text).toBe('hello')
  })

  it('that never answers is given up at the deadline', async () => {
    const front = await serve({ timeouts: { requestMs: 200 } })
    expect((await fetchFrom(front, '/nap')).status).toBe(504)
    expect((await fetchFrom(front)).text).toBe('hello')
  })

  it('takes 2,000 requests over 20 connections, and every stream is free after it', async () => {
    const front = await serve()
    const agent = keepAliveAgent(20)
    const answers = await Promise.all(Array.from({ length: 2_000 }, () => fetchFrom(front, '/', { agent })))
    expect(answers.every(({ text }) => text === 'hello')).toBe(true)
    expect(front.host.status()).toMatchObject({ queued: 0, active: 0, workers: [{ inFlight: 0 }] })
    expect(readCounters(front.counters)).toMatchObject({
      queued: 0,
      inFlight: 0,
      requests: 2_000,
      cancelled: 0,
    })
  }, 60_000)

  it('answers clients that leave in any state by freeing their streams', async () => {
    const front = await serve()
    const body = 'x'.repeat(100_000)
    const requests = ['GET /slow', 'GET /stream', `POST /digest`]
    for (let n = 0; n < 30; n++) {
      const socket = connect(front.port, '127.0.0.1')
      const line = requests[n % 3] as string
      const length = line.startsWith('POST') ? 'Content-Length: 100000\r\n' : ''
      socket.on('error', () => {})
      socket.write(`${line} HTTP/1.1\r\nHost: a\r\n${length}\r\n${length === '' ? '' : body}`)
      setTimeout(() => socket.destroy(), n * 7)
    }
    await new Promise((resolve) => setTimeout(resolve, 300))
    await until(() => front.host.status().active === 0)
    await until(() => front.host.status().workers[0]?.inFlight === 0)
    expect(readCounters(front.counters)).toMatchObject({ queued: 0, inFlight: 0 })
    expect((await fetchFrom(front)).text).toBe('hello')
  })

  it('is drained: what runs is answered, then the process ends', async () => {
    const front = await serve()
    const answering = fetchFrom(front, '/slow')
    await until(() => front.host.status().workers[0]?.inFlight === 1)
    const draining = front.host.drain()
    expect((await answering).text).toBe('slow')
    await draining
    await front.host.close()
    expect(front.gone).toMatchObject([{ worker: 1, why: { expected: true } }])
  })

  it('that does not import says so, with its own traceback', async () => {
    const front = await serve({ source: 'import nowhere_to_be_found' })
    await until(() => front.gone.length === 1)
    expect(front.failed[0]).toMatchObject({ worker: 1, failure: { reason: 'import' } })
    expect(front.failed[0]?.failure.traceback).toMatch(/nowhere_to_be_found/)
    expect(front.gone[0]?.why.expected).toBe(true)
  })

  it('does not take websockets', async () => {
    const front = await serve()
    const text = await exchangeRaw(
      front,
      'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    )
    expect(text).toMatch(/^HTTP\/1.1 501 /)
  })
})
