import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { brotliDecompressSync, createGunzip, gunzipSync, zstdDecompressSync } from 'node:zlib'
import { startSupervisor } from '@havn/gateway'
import type { GatewayHandle } from '@havn/gateway'
import type { EdgeOptions } from '@havn/proxy'
import { edgeModule } from '@havn/proxy'
import { findPython, requirePart } from '@havn/tools/parts'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'

const python = await requirePart('python3', findPython)
const decoders = { br: brotliDecompressSync, zstd: zstdDecompressSync, gzip: gunzipSync }
const LINE = 'The harbour is open. '

/** The same answers by both interfaces. */
const APP = `
import asyncio, gzip, itertools, os, random, time

TEXT = ('${LINE}' * 500).encode()
FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'harbour.txt')
NOISE = [random.Random(n).randbytes(50000) for n in range(20)]
GO_ON = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'go-on')
counts = itertools.count(1)

def answer(method, path, headers):
    plain = [('Content-Type', 'text/plain'), ('X-Method', method)]
    if path == '/small': return '200 OK', plain, TEXT
    if path == '/tiny': return '200 OK', plain, b'tiny'
    if path == '/big': return '200 OK', plain, TEXT * 100
    if path == '/told': return '200 OK', plain + [('Content-Length', str(len(TEXT)))], [TEXT[:4000], TEXT[4000:]]
    if path == '/stream': return '200 OK', plain, [TEXT[n:n + 1000] for n in range(0, len(TEXT), 1000)]
    if path == '/noise': return '200 OK', plain, iter(NOISE * 5)
    if path == '/events': return '200 OK', [('Content-Type', 'text/event-stream')], 'events'
    if path == '/file': return '200 OK', plain + [('ETag', '"f"')], 'file'
    if path == '/encoded': return '200 OK', plain + [('Content-Encoding', 'gzip')], gzip.compress(TEXT)
    if path == '/tagged':
        if headers.get('if-none-match') in ('"t"', 'W/"t"'): return '304 Not Modified', [('ETag', '"t"')], b''
        return '200 OK', plain + [('ETag', '"t"')], TEXT
    if path == '/cookies': return '200 OK', plain + [('Set-Cookie', 'a=1'), ('Set-Cookie', 'b=2')], TEXT
    if path.startswith('/cached'):
        kept = plain + [('Cache-Control', 'max-age=100'), ('X-Count', str(next(counts))), ('X-Pid', str(os.getpid()))]
        if path == '/cached/file': return '200 OK', kept, 'file'
        if path == '/cached/stream': return '200 OK', kept, [TEXT[:5000], TEXT[5000:]]
        return '200 OK', kept, TEXT
    if path.startswith('/stale'):
        if headers.get('if-none-match') == '"s"': return '304 Not Modified', [('Cache-Control', 'max-age=100')], b''
        return '200 OK', plain + [('Cache-Control', 'max-age=1, stale-while-revalidate=1000'), ('Age', '9'), ('ETag', '"s"'), ('X-Count', str(next(counts)))], TEXT
    return '404 Not Found', plain, b'not here'

def events(sleep):
    yield b'data: one\\n\\n'
    while not os.path.exists(GO_ON): yield None
    yield b'data: two\\n\\n'

def wsgi(environ, start_response):
    headers = {'if-none-match': environ.get('HTTP_IF_NONE_MATCH')}
    status, fields, body = answer(environ['REQUEST_METHOD'], environ['PATH_INFO'], headers)
    start_response(status, fields)
    if body == 'file': return environ['wsgi.file_wrapper'](open(FILE, 'rb'))
    if body == 'events': return wsgi_events()
    return [body] if isinstance(body, bytes) else iter(body)

def wsgi_events():
    for event in events(None):
        if event is None: time.sleep(0.01)
        else: yield event

async def asgi(scope, receive, send):
    if scope['type'] != 'http': return
    headers = {name.decode(): value.decode() for name, value in scope['headers']}
    status, fields, body = answer(scope['method'], scope['path'], headers)
    start = [(name.encode(), value.encode()) for name, value in fields]
    await send({'type': 'http.response.start', 'status': int(status[:3]), 'headers': start})
    if body == 'file': return await send({'type': 'http.response.pathsend', 'path': FILE})
    if body == 'events':
        for event in events(None):
            if event is None: await asyncio.sleep(0.01)
            else: await send({'type': 'http.response.body', 'body': event, 'more_body': True})
    elif not isinstance(body, bytes):
        for chunk in body: await send({'type': 'http.response.body', 'body': chunk, 'more_body': True})
        body = b''
    await send({'type': 'http.response.body', 'body': b'' if body == 'events' else body})
`

interface Site {
  ask(path: string, headers?: Record<string, string>, method?: string): Promise<Answer>
  open(path: string, headers?: Record<string, string>): Promise<IncomingMessage>
  /** Lets the stream of events go on. */
  goOn(): Promise<void>
  gateway: GatewayHandle
  directory: string
}

interface Answer {
  status: number
  headers: IncomingHttpHeaders
  body: Buffer
}

async function start(kind: 'wsgi' | 'asgi', edge: EdgeOptions, threads = 1): Promise<Site & AsyncDisposable> {
  const directory = await mkdtemp(join(tmpdir(), 'havn-edge-'))
  await writeFile(join(directory, 'harbour.py'), APP)
  await writeFile(join(directory, 'harbour.txt'), LINE.repeat(5_000))
  const gateway = await startSupervisor({
    listeners: [{ type: 'tcp', host: '127.0.0.1', port: 0 }],
    app: { language: 'python', interface: kind, target: `harbour:${kind}`, directory, python: python! },
    threads,
    workers: threads,
    edge: { module: edgeModule, config: edge },
    log: { level: 'silent' },
  })
  const [address] = gateway.addresses
  if (address?.type !== 'tcp') throw new Error('no TCP address')
  const { port } = address

  async function open(path: string, headers: Record<string, string> = {}, method = 'GET') {
    const asked = request({ port, host: '127.0.0.1', path, headers, method, agent: false }).end()
    const [response] = (await once(asked, 'response')) as [IncomingMessage]
    return response
  }

  return {
    gateway,
    directory,
    open,
    async ask(path, headers, method) {
      const response = await open(path, headers, method)
      return { status: response.statusCode!, headers: response.headers, body: await buffer(response) }
    },
    goOn: () => writeFile(join(directory, 'go-on'), ''),
    async [Symbol.asyncDispose]() {
      await gateway.stop({ force: true })
      await rm(directory, { recursive: true, force: true })
    },
  }
}

describe.skipIf(python === null).each(['wsgi', 'asgi'] as const)('compression of a %s app', (kind) => {
  let site: Site & AsyncDisposable
  beforeAll(async () => {
    site = await start(kind, { compression: {} })
  })
  afterAll(() => site[Symbol.asyncDispose]())

  test.each([
    ['/small', 1],
    ['/big', 100],
    ['/told', 1],
    ['/stream', 1],
    ['/file', 10],
  ] as const)('%s, by each coding and by none', async (path, times) => {
    for (const coding of ['br', 'zstd', 'gzip'] as const) {
      const { status, headers, body } = await site.ask(path, { 'accept-encoding': coding })
      expect(status).toBe(200)
      expect(headers).toMatchObject({ 'content-encoding': coding, vary: 'Accept-Encoding' })
      expect(headers).not.toHaveProperty('content-length')
      expect(decoders[coding](body).toString()).toBe(LINE.repeat(500 * times))
    }
    const plain = await site.ask(path)
    expect(plain.headers).not.toHaveProperty('content-encoding')
    expect(plain.headers.vary).toBe('Accept-Encoding')
    expect(plain.body.toString()).toBe(LINE.repeat(500 * times))
  })

  test.each(['/small', '/told', '/stream', '/file'])('HEAD of %s says what GET would', async (path) => {
    const get = await site.ask(path, { 'accept-encoding': 'gzip' })
    const head = await site.ask(path, { 'accept-encoding': 'gzip' }, 'HEAD')
    expect(head.body.length).toBe(0)
    for (const name of ['content-encoding', 'content-length', 'vary', 'etag'])
      expect([name, head.headers[name]]).toEqual([name, get.headers[name]])
  })

  test('what is short, or encoded already, goes out as it is', async () => {
    const tiny = await site.ask('/tiny', { 'accept-encoding': 'gzip' })
    expect(tiny.headers).not.toHaveProperty('content-encoding')
    expect(tiny.body.toString()).toBe('tiny')
    const encoded = await site.ask('/encoded', { 'accept-encoding': 'br' })
    expect(encoded.headers['content-encoding']).toBe('gzip')
    expect(gunzipSync(encoded.body).toString()).toBe(LINE.repeat(500))
  })

  test('a client that knows the compressed one gets a 304 for it', async () => {
    const first = await site.ask('/tagged', { 'accept-encoding': 'gzip' })
    expect(first.headers.etag).toBe('W/"t"')
    const next = await site.ask('/tagged', {
      'accept-encoding': 'gzip',
      'if-none-match': first.headers.etag!,
    })
    expect(next).toMatchObject({ status: 304, headers: { etag: 'W/"t"' } })
    expect(next.body.length).toBe(0)
    expect(next.headers).not.toHaveProperty('content-encoding')
  })

  test('repeated fields stay', async () => {
    const { headers } = await site.ask('/cookies', { 'accept-encoding': 'gzip' })
    expect(headers['set-cookie']).toEqual(['a=1', 'b=2'])
  })

  test('an event arrives before the next one is there', async () => {
    const response = await site.open('/events', { 'accept-encoding': 'gzip' })
    expect(response.headers['content-encoding']).toBe('gzip')
    const decoded = response.pipe(createGunzip())
    const [event] = (await once(decoded, 'data')) as [Buffer]
    expect(event.toString()).toBe('data: one\n\n')
    await site.goOn()
    expect((await buffer(decoded)).toString()).toBe('data: two\n\n')
  })

  test('a stream waits for a client that does not read, and loses nothing', async () => {
    const response = await site.open('/noise', { 'accept-encoding': 'gzip' })
    await new Promise((resolve) => setTimeout(resolve, 300))
    const body = gunzipSync(await buffer(response))
    expect(body.length).toBe(5_000_000)
    expect(body.subarray(0, 1_000_000).equals(body.subarray(4_000_000))).toBe(true)
  })

  test('a client that leaves within a stream leaves nothing behind', async () => {
    for (let n = 0; n < 70; n++) {
      const response = await site.open('/noise', { 'accept-encoding': 'gzip' })
      response.destroy()
    }
    // As many as may be compressed at once, and more, have gone: the next one is still compressed.
    const { headers } = await site.ask('/small', { 'accept-encoding': 'gzip' })
    expect(headers['content-encoding']).toBe('gzip')
  })
})

describe.skipIf(python === null).each(['wsgi', 'asgi'] as const)('the cache before a %s app', (kind) => {
  test.each([
    ['alone', {}],
    ['with compression and security headers', { compression: {}, security: { profile: 'basic' as const } }],
  ])('%s', async (_name, more) => {
    const site = await start(kind, { ...more, cache: {} })
    onTestFinished(() => site[Symbol.asyncDispose]())
    for (const path of ['/cached', '/cached/file', '/cached/stream']) {
      const first = await site.ask(path)
      const second = await site.ask(path)
      expect(second.headers['x-count']).toBe(first.headers['x-count'])
      expect(second.headers).toHaveProperty('age')
      expect(second.body.equals(first.body)).toBe(true)
      expect(second.body.length).toBeGreaterThan(10_000)
      const head = await site.ask(path, {}, 'HEAD')
      expect(head.headers['content-length']).toBe(String(second.body.length))
    }
    expect((await site.ask('/small')).headers).not.toHaveProperty('age')

    await site.ask('/stale')
    expect((await site.ask('/stale')).headers).toHaveProperty('age')
    await expect.poll(async () => (await site.ask('/stale')).headers['cache-control']).toBe('max-age=100')
    // The 304 came from the app itself, by a request that no client made.
    expect((await site.ask('/stale')).headers['x-count']).toBe((await site.ask('/stale')).headers['x-count'])

    const before = (await site.ask('/cached')).headers['x-count']
    expect((await site.ask('/cached', {}, 'POST')).status).toBe(200)
    expect((await site.ask('/cached')).headers['x-count']).not.toBe(before)
  })
})

test.skipIf(python === null)('what one thread hears of is invalid in all of them', async () => {
  const site = await start('wsgi', { cache: {} }, 2)
  onTestFinished(() => site[Symbol.asyncDispose]())
  /** What both threads have, whichever of them takes a connection. */
  const stored = async () => {
    const found = new Set<string>()
    const all = async () => {
      const answers = await Promise.all(Array.from({ length: 24 }, () => site.ask('/cached')))
      for (const { headers } of answers) found.add(`${headers['x-pid']} ${headers['x-count']}`)
      return new Set([...found].map((known) => known.split(' ')[0])).size
    }
    await expect.poll(all, { timeout: 10_000 }).toBe(2)
    return found
  }
  const before = await stored()
  expect(before.size).toBe(2)
  await site.ask('/cached', {}, 'POST')
  for (const known of await stored()) expect(before.has(known)).toBe(false)
})
