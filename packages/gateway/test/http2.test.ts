import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { ClientHttp2Session } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { brotliDecompressSync } from 'node:zlib'
import { ensureNpm, ensurePython, requirePart } from '@havn/tools/parts'
import { describe, expect, onTestFinished, test } from 'vitest'
import { makeCertificate } from '../../http/test/make-certificate.ts'
import type { GatewayHandle, GatewayOptions } from '../src/index.ts'
import { askHttp2, openSession } from './http2-setup.ts'
import { python, pythonTest, startGateway, temporaryDirectory, until } from './lifecycle-setup.ts'
import { certificateFolder, handshake, portOf, tlsApps } from './tls-setup.ts'

const django = await requirePart('Django 5.2', () => ensurePython(['Django>=5.2,<5.3']))
const express = await requirePart('Express', () => ensureNpm(['express@5']))
const certificate = makeCertificate(certificateFolder(), ['a.test'])

async function start(
  more: Partial<GatewayOptions>,
): Promise<{ handle: GatewayHandle; session: ClientHttp2Session }> {
  const handle = await startGateway({
    listeners: [{ type: 'tcp', host: '127.0.0.1', port: 0 }],
    tls: { certificates: [certificate] },
    app: { language: 'none' },
    log: { level: 'silent' },
    ...more,
  })
  return { handle, session: openSession(portOf(handle.addresses)) }
}

/** An app of one module in a folder of its own. */
async function appOf(name: string, source: string): Promise<string> {
  const directory = await temporaryDirectory()
  await writeFile(join(directory, name), source)
  return directory
}

const pythonApp = (kind: 'wsgi' | 'asgi', directory: string): GatewayOptions['app'] => ({
  language: 'python',
  interface: kind,
  target: 'app:application',
  directory,
  python: python!,
})

describe.skipIf(django === null).each(['wsgi', 'asgi'] as const)('Django over %s', (kind) => {
  const app = {
    language: 'python',
    interface: kind,
    target: `django_site:${kind}`,
    directory: tlsApps,
    python: django!,
  } as const

  test('answers, takes uploads whose length nobody tells, and sends large downloads', async () => {
    const { session } = await start({ app })
    expect(JSON.parse((await askHttp2(session, '/')).text)).toEqual({ secure: true, uri: 'https://a.test/' })
    const body = randomBytes(4 * 1024 * 1024)
    const { text } = await askHttp2(session, '/digest', { method: 'POST', body })
    expect(text).toBe(createHash('sha256').update(body).digest('hex'))
    expect((await askHttp2(session, '/big?blocks=64')).text.length).toBe(4 * 1024 * 1024)
    expect(await askHttp2(session, '/missing')).toMatchObject({ status: 404 })
    expect(await askHttp2(session, '/', { method: 'HEAD' })).toMatchObject({ status: 200, text: '' })
  })
})

describe('a Python app', () => {
  pythonTest('over WSGI is told HTTP/2.0, and the length of a body that came without', async () => {
    const directory = await appOf(
      'app.py',
      `import json
def application(environ, start_response):
    start_response('201 Created', [('Content-Type', 'text/plain'), ('X-A', '1'), ('X-A', '2')])
    names = ('SERVER_PROTOCOL', 'HTTP_HOST', 'HTTP_COOKIE', 'CONTENT_LENGTH', 'wsgi.url_scheme', 'REMOTE_ADDR')
    yield json.dumps([environ.get(name) for name in names]).encode()
    yield environ['wsgi.input'].read()
`,
    )
    const { session } = await start({ app: pythonApp('wsgi', directory) })
    const headers = { cookie: ['a=1', 'b=2'] }
    const answer = await askHttp2(session, '/x', { method: 'POST', headers, body: Buffer.from('body') })
    expect(answer).toMatchObject({ status: 201, headers: { 'x-a': '1, 2' } })
    expect(answer.text).toBe('["HTTP/2.0", "a.test", "a=1; b=2", "4", "https", "127.0.0.1"]body')
  })

  pythonTest('over ASGI is told 2, streams both ways, and hears that its client has left', async () => {
    const directory = await appOf(
      'app.py',
      `left = 0
async def application(scope, receive, send):
    global left
    if scope['type'] != 'http':
        return
    await send({'type': 'http.response.start', 'status': 200, 'headers': [(b'x-version', scope['http_version'].encode())]})
    if scope['path'] == '/left':
        return await send({'type': 'http.response.body', 'body': str(left).encode()})
    if scope['path'] == '/wait':
        await send({'type': 'http.response.body', 'body': b'begun', 'more_body': True})
        while (await receive())['type'] != 'http.disconnect':
            pass
        left += 1
        return
    more = True
    while more:
        event = await receive()
        more = event['more_body']
        await send({'type': 'http.response.body', 'body': event['body'], 'more_body': more})
`,
    )
    const { session } = await start({ app: pythonApp('asgi', directory) })
    const body = randomBytes(1_000_000)
    const echoed = await askHttp2(session, '/echo', { method: 'POST', body })
    expect(echoed.headers['x-version']).toBe('2')
    expect(echoed.text === body.toString('latin1')).toBe(true)

    const stream = session.request({ ':path': '/wait', ':authority': 'a.test' })
    await once(stream, 'data')
    stream.close(8)
    await until('the app heard of it', async () => (await askHttp2(session, '/left')).text === '1')
  })
})

const nodeSources = {
  fetch: `export default async (request) => {
  if (new URL(request.url).pathname === '/fail') throw new Error('no')
  return new Response(request.url + ' ' + (await request.text()).length, { status: 201 })
}\n`,
  node: `export default async (request, response) => {
  if (request.url === '/fail') throw new Error('no')
  let length = 0
  for await (const part of request) length += part.length
  response.writeHead(201, { 'X-Version': request.httpVersion })
  response.end('https://' + request.headers.host + request.url + ' ' + length)
}\n`,
}

describe.each(['inline', 'task', 'process'] as const)('a JavaScript app (%s)', (how) => {
  test.each(['fetch', 'node'] as const)('of the kind %s', async (kind) => {
    const directory = await appOf('app.mjs', nodeSources[kind])
    const { session } = await start({
      app: { language: 'node', interface: kind, target: 'app.mjs', directory },
      ...(how === 'task' && { dispatch: 'task' as const }),
      ...(how === 'process' && { isolation: 'process' as const }),
    })
    const answers = await Promise.all(
      [0, 1, 200_000].map((length) =>
        askHttp2(session, '/x?y', { method: 'POST', body: Buffer.alloc(length) }),
      ),
    )
    for (const [n, length] of [0, 1, 200_000].entries()) {
      expect(answers[n]).toMatchObject({ status: 201, text: `https://a.test/x?y ${length}` })
      if (kind === 'node') expect(answers[n]!.headers['x-version']).toBe('2.0')
    }
    expect((await askHttp2(session, '/fail')).status).toBe(500)
  })
})

test.skipIf(express === null)('Express: routes, bodies, redirects and files', async () => {
  const directory = await appOf('file.txt', 'of a file')
  await writeFile(
    join(directory, 'app.mjs'),
    `import { createRequire } from 'node:module'
const express = createRequire(${JSON.stringify(join(express!, 'x.js'))})('express')
const app = express()
app.use(express.json())
app.post('/json', (request, response) => response.json({ seen: request.body, secure: request.secure }))
app.get('/old', (request, response) => response.redirect('/new'))
app.get('/file', (request, response) => response.sendFile(${JSON.stringify(join(directory, 'file.txt'))}))
export default app
`,
  )
  const { session } = await start({
    app: { language: 'node', interface: 'node', target: 'app.mjs', directory },
  })
  const headers = { 'content-type': 'application/json' }
  const posted = await askHttp2(session, '/json', { method: 'POST', headers, body: Buffer.from('{"a":1}') })
  expect(JSON.parse(posted.text)).toEqual({ seen: { a: 1 }, secure: true })
  expect(await askHttp2(session, '/old')).toMatchObject({ status: 302, headers: { location: '/new' } })
  expect(await askHttp2(session, '/file')).toMatchObject({ status: 200, text: 'of a file' })
  const part = await askHttp2(session, '/file', { headers: { range: 'bytes=3-' } })
  expect(part).toMatchObject({ status: 206, text: 'a file' })
})

describe('the edge', async () => {
  const { edgeModule } = await import('@havn/proxy')

  /** An upstream that says what it was sent. */
  async function startUpstream(): Promise<number> {
    const upstream = createServer(async (request, response) => {
      if (request.url === '/cut') {
        response.write('part')
        setTimeout(() => response.destroy(), 20)
        return
      }
      let length = 0
      for await (const part of request) length += part.length
      const { httpVersion, headers, rawHeaders } = request
      response.setHeader('Content-Type', 'application/json').setHeader('Connection', 'close')
      response.end(JSON.stringify({ httpVersion, headers, rawHeaders, length, filler: 'x'.repeat(5_000) }))
    }).listen(0, '127.0.0.1')
    await once(upstream, 'listening')
    onTestFinished(() => {
      upstream.closeAllConnections()
      upstream.close()
    })
    return (upstream.address() as AddressInfo).port
  }

  async function startEdge() {
    const directory = await temporaryDirectory()
    await mkdir(join(directory, 'sub'))
    await writeFile(join(directory, 'a.txt'), 'of a static file')
    await writeFile(join(directory, 'large.bin'), Buffer.alloc(5_000_000, 'x'))
    const host = '127.0.0.1'
    return start({
      edge: {
        module: edgeModule,
        config: {
          staticFiles: [{ url: '/static/', directory, kind: 'static' }],
          routes: [
            { match: { path: '/old' }, to: { type: 'redirect', location: '/new' } },
            { match: { path: '/down' }, to: { type: 'upstream', upstream: 'down' } },
          ],
          upstreams: { down: { address: { type: 'tcp', host, port: 9 } } },
          upstream: { address: { type: 'tcp', host, port: await startUpstream() } },
          compression: {},
        },
      },
    })
  }

  test('serves static files: whole, in parts, unchanged, and heads alone', async () => {
    const { session } = await startEdge()
    const whole = await askHttp2(session, '/static/a.txt')
    expect(whole).toMatchObject({
      status: 200,
      text: 'of a static file',
      headers: { 'content-length': '16' },
    })
    const headers = { 'if-none-match': whole.headers.etag }
    expect(await askHttp2(session, '/static/a.txt', { headers })).toMatchObject({ status: 304, text: '' })
    const range = { headers: { range: 'bytes=5-10' } }
    expect(await askHttp2(session, '/static/a.txt', range)).toMatchObject({ status: 206, text: 'static' })
    expect(await askHttp2(session, '/static/a.txt', { method: 'HEAD' })).toMatchObject({
      status: 200,
      text: '',
    })
    expect((await askHttp2(session, '/static/large.bin')).text.length).toBe(5_000_000)
    expect((await askHttp2(session, '/static/missing')).status).toBe(404)
  })

  test('redirects, and says what an upstream did not', async () => {
    const { session } = await startEdge()
    expect(await askHttp2(session, '/old')).toMatchObject({
      headers: { location: expect.stringContaining('/new') },
    })
    expect((await askHttp2(session, '/down')).status).toBe(502)
    await expect(askHttp2(session, '/cut')).rejects.toMatchObject({ rstCode: 2 })
  })

  test('sends on in HTTP/1.1 what came in HTTP/2, and compresses what comes back', async () => {
    const { session } = await startEdge()
    const headers = { cookie: ['a=1', 'b=2'], te: 'trailers', 'accept-encoding': 'br' }
    const answer = await askHttp2(session, '/x', { method: 'POST', headers, body: Buffer.alloc(100_000) })
    expect(answer.headers).toMatchObject({ 'content-encoding': 'br' })
    expect(answer.headers).not.toHaveProperty('connection')
    const seen = JSON.parse(brotliDecompressSync(Buffer.from(answer.text, 'latin1')).toString())
    expect(seen).toMatchObject({
      httpVersion: '1.1',
      length: 100_000,
      headers: {
        host: 'a.test',
        cookie: 'a=1; b=2',
        'transfer-encoding': 'chunked',
        'x-forwarded-for': '127.0.0.1',
        'x-forwarded-proto': 'https',
        'x-forwarded-host': 'a.test',
      },
    })
    expect(seen.headers).not.toHaveProperty('te')
    expect(seen.rawHeaders.filter((name: string) => name.toLowerCase() === 'host')).toHaveLength(1)
  })
})

describe('a reload', () => {
  /** Clients that open a session anew when theirs is told to go, and send again what was not served. */
  function startLoad(port: number) {
    const result = {
      answered: 0,
      retried: 0,
      sessions: 1,
      failures: [] as string[],
      texts: new Set<string>(),
    }
    let session = openSession(port)
    let isOver = false
    const client = async () => {
      while (!isOver) {
        if (session.closed || session.destroyed) {
          session = openSession(port)
          result.sessions += 1
        }
        try {
          const { status, text } = await askHttp2(session, '/')
          result.answered += 1
          result.texts.add(text)
          if (status !== 200) result.failures.push(`${status} ${text}`)
        } catch (error) {
          // RFC 9113 §8.7: REFUSED_STREAM, and streams beyond a GOAWAY's, were not processed at all.
          const isUnserved = (error as { rstCode?: number }).rstCode === 7
          if (isUnserved || session.closed) result.retried += 1
          else result.failures.push(String(error))
        }
      }
    }
    const clients = Array.from({ length: 8 }, client)
    return {
      result,
      async stop() {
        isOver = true
        await Promise.all(clients)
      },
    }
  }

  test.each([{}, { process: true }])('loses nothing of what clients of HTTP/2 ask (%j)', async (how) => {
    const directory = await appOf('app.mjs', `export default () => new Response('before')\n`)
    const { handle } = await start({
      app: { language: 'node', interface: 'fetch', target: 'app.mjs', directory },
      threads: 2,
    })
    const load = startLoad(portOf(handle.addresses))
    await until('answers before', () => load.result.answered > 50)
    await writeFile(join(directory, 'app.mjs'), `export default () => new Response('after')\n`)
    await handle.reload(how)
    const then = load.result.answered
    await until('answers after', () => load.result.answered > then + 50)
    await load.stop()
    expect(load.result.failures).toEqual([])
    expect([...load.result.texts]).toEqual(['before', 'after'])
    expect(load.result.sessions).toBeGreaterThan(1)
  })
})

test('a stop waits for what is in flight, and ends sessions that are idle', async () => {
  const directory = await appOf(
    'app.mjs',
    `export default async () => {
  await new Promise((resolve) => setTimeout(resolve, 500))
  return new Response('late')
}\n`,
  )
  const { handle, session } = await start({
    app: { language: 'node', interface: 'fetch', target: 'app.mjs', directory },
  })
  const idle = openSession(portOf(handle.addresses))
  await once(idle, 'connect')
  const asked = askHttp2(session, '/')
  await new Promise((resolve) => setTimeout(resolve, 100))
  const idleClosed = once(idle, 'close')
  await handle.stop()
  await idleClosed
  expect((await asked).text).toBe('late')
})

test('tls.http2: false leaves HTTP/1.1 alone', async () => {
  const { handle } = await start({ tls: { certificates: [certificate], http2: false } })
  const socket = await handshake(portOf(handle.addresses), { ALPNProtocols: ['h2', 'http/1.1'] })
  expect(socket.alpnProtocol).toBe('http/1.1')
  socket.destroy()
})
