import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { startPlatform } from '../src/index.ts'

type Line = Record<string, unknown>

/** Says the request id that it was given, and agrees to every handshake. */
async function startUpstream(): Promise<number> {
  const server = createServer(
    (request, response) => void response.end(String(request.headers['x-request-id'])),
  )
  server.on('upgrade', (_request, socket: Socket) => {
    socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

async function start(command: string[], config: object, file = 'platform.config.json') {
  const directory = mkdtempSync(join(tmpdir(), 'havn-access-'))
  mkdirSync(join(directory, 'static'))
  writeFileSync(join(directory, 'static', 'a.txt'), 'a file')
  writeFileSync(join(directory, 'app.ts'), 'export default { fetch: () => new Response("from the app") }\n')
  writeFileSync(join(directory, file), JSON.stringify(config))
  const program = startPlatform(command, { cwd: directory })
  onTestFinished(async () => {
    await program.dispose()
    rmSync(directory, { recursive: true })
  })
  const [, url = ''] = await program.waitFor(
    /(?:Proxying|Serving|running|listening)\D* on (http:\S+?)\/?[\s"]/i,
  )
  return { url, program, port: Number(new URL(url).port) }
}

/** The access line of a path, once it is there. */
async function lineOf(
  program: { waitFor(pattern: RegExp): Promise<RegExpExecArray> },
  path: string,
): Promise<Line> {
  const [line] = await program.waitFor(new RegExp(`^\\{.*"event":"request".*"path":"${path}".*$`, 'm'))
  return JSON.parse(line) as Line
}

test('the edge alone says where each request went, and gives back its id', async () => {
  const port = await startUpstream()
  const address = { type: 'tcp', host: '127.0.0.1', port }
  const { url, program } = await start(['proxy', '--log-format', 'json'], {
    bind: '127.0.0.1:0',
    requestId: { header: 'X-Trace', return: true },
    staticFiles: [{ url: '/static/', directory: 'static' }],
    edge: {
      upstream: { address },
      upstreams: { api: { address }, dead: { address: { ...address, port: 1 } } },
      routes: [
        { id: 'api', match: { path: '/api' }, to: { type: 'upstream', upstream: 'api' } },
        { match: { path: '/dead' }, to: { type: 'upstream', upstream: 'dead' } },
      ],
    },
  })
  const ask = async (path: string, method = 'GET') => {
    const headers = {
      'X-Trace': `mine${path.replaceAll('/', '-')}`,
      'User-Agent': 'e2e',
      Referer: `${url}/?t=hush`,
    }
    const body = method === 'POST' ? 'x' : undefined
    const response = await fetch(`${url}${path}?token=hush`, { method, headers, body })
    return { id: response.headers.get('x-request-id'), text: await response.text() }
  }

  // By the plain lane, by node:http, from a disk and from memory.
  expect(await ask('/rest')).toEqual({ id: 'mine-rest', text: 'mine-rest' })
  expect(await ask('/api/post', 'POST')).toEqual({ id: 'mine-api-post', text: 'mine-api-post' })
  const file = { id: 'mine-static-a.txt', text: 'a file' }
  expect([await ask('/static/a.txt'), await ask('/static/a.txt')]).toEqual([file, file])
  const dead = await fetch(`${url}/dead`, { headers: { 'X-Trace': 'mine-dead', Accept: 'text/html' } })
  expect(await dead.text()).toContain('<code>mine-dead</code>')

  const server = `127.0.0.1:${port}`
  expect(await lineOf(program, '/rest')).toMatchObject({
    status: 200,
    client: '127.0.0.1',
    protocol: 'HTTP/1.1',
    userAgent: 'e2e',
    referer: `${url}/`,
    upstream: 'upstream',
    server,
    upstreamMs: expect.any(Number) as number,
  })
  expect(await lineOf(program, '/api/post')).toMatchObject({
    route: 'api',
    upstream: 'api',
    server,
    requestId: 'mine-api-post',
  })
  expect(await lineOf(program, '/static/a.txt')).toMatchObject({ status: 200, static: true })
  expect(await lineOf(program, '/dead')).toMatchObject({
    status: 502,
    route: 'routes.1',
    upstream: 'dead',
    error: 'ECONNREFUSED',
  })
  expect(program.output()).not.toContain('hush')
})

test('what is refused says why, and what it asked for', async () => {
  const port = await startUpstream()
  const { url, program } = await start(['proxy', '--log-format', 'json'], {
    bind: '127.0.0.1:0',
    edge: {
      upstream: { address: { type: 'tcp', host: '127.0.0.1', port } },
      limits: { rates: [{ match: { path: '/rate' }, requests: 1, perMs: 3_600_000 }] },
      routes: [
        {
          match: { path: '/small' },
          to: { type: 'respond', status: 200 },
          limits: { maxBodyBytes: 1, maxTargetBytes: 50 },
        },
      ],
    },
  })
  expect((await fetch(`${url}/small/body?token=hush`, { method: 'POST', body: 'xx' })).status).toBe(413)
  expect((await fetch(`${url}/small/target?${'q'.repeat(50)}`)).status).toBe(414)
  await fetch(`${url}/rate/first`)
  expect((await fetch(`${url}/rate/second`)).status).toBe(429)
  expect(await lineOf(program, '/small/body')).toMatchObject({
    method: 'POST',
    status: 413,
    refused: 'body-too-large',
    client: '127.0.0.1',
  })
  expect(await lineOf(program, '/small/target')).toMatchObject({ status: 414, refused: 'target-too-long' })
  expect(await lineOf(program, '/rate/second')).toMatchObject({ status: 429, refused: 'rate' })
  expect(program.output()).not.toContain('hush')
})

test('what is cut off for its time says so, by the plain lane and by node:http', async () => {
  const server = createServer(() => {}).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const { url, program } = await start(['proxy', '--log-format', 'json'], {
    bind: '127.0.0.1:0',
    edge: { upstream: { address: { type: 'tcp', host: '127.0.0.1', port } }, limits: { totalMs: 200 } },
  })
  expect((await fetch(`${url}/plain`)).status).toBe(504)
  expect((await fetch(`${url}/post`, { method: 'POST', body: 'x' })).status).toBe(504)
  for (const path of ['/plain', '/post']) {
    const line = await lineOf(program, path)
    expect(line).toMatchObject({ status: 504, refused: 'total-time', upstream: 'upstream' })
    expect(line).not.toHaveProperty('aborted')
  }
})

test('a tunnel through the edge is a line with its status', async () => {
  const port = await startUpstream()
  const edge = { upstream: { address: { type: 'tcp', host: '127.0.0.1', port } } }
  const { program, port: door } = await start(['proxy', '--log-format', 'json'], {
    bind: '127.0.0.1:0',
    edge,
  })
  const socket = connect(door, '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  socket.write(
    'GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  )
  socket.resume()
  expect(await lineOf(program, '/ws')).toMatchObject({
    status: 101,
    upstream: 'upstream',
    upstreamMs: expect.any(Number) as number,
  })
})

test('an app in the gateway, in the combined format', async () => {
  const { url, program } = await start(
    ['serve', './app.ts', '--bind', '127.0.0.1:0', '--access-log', 'combined'],
    {},
  )
  await (await fetch(`${url}/polls/?token=hush`, { headers: { 'User-Agent': 'e2e "1"' } })).text()
  await program.waitFor(/^127\.0\.0\.1 - - \[.*\] "GET \/polls\/ HTTP\/1\.1" 200 12 "-" "e2e \\x221\\x22"$/m)
})
