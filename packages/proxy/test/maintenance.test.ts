import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { EdgeOptions } from '../src/index.ts'
import { exchange, get, startEdge } from './edge-server.ts'

async function start(config: EdgeOptions, trustedProxies: string[] = []) {
  const edge = await startEdge(config, { trustedProxies })
  onTestFinished(() => edge[Symbol.asyncDispose]())
  return edge
}

async function writePage(html: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'havn-page-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const file = join(directory, 'soon.html')
  await writeFile(file, html)
  return file
}

test('is closed and opened by updates', async () => {
  const edge = await start({})
  expect((await exchange(edge.port, get('/'))).status).toBe(418)
  await edge.update({ maintenance: { retryAfterS: 600 } })
  const closed = await exchange(edge.port, get('/'))
  expect(closed.status).toBe(503)
  expect(closed.headers).toMatchObject({ 'retry-after': '600', 'cache-control': 'no-store' })
  await edge.update({ maintenance: { enabled: false } })
  expect((await exchange(edge.port, get('/'))).status).toBe(418)
})

test('shows people the page, and programs a problem', async () => {
  const page = await writePage('<!doctype html><p>Back soon – überall')
  const edge = await start({ maintenance: { page } })
  const shown = await exchange(edge.port, get('/', { Accept: 'text/html,*/*;q=0.8' }))
  expect(shown.body.toString()).toBe('<!doctype html><p>Back soon – überall')
  expect(shown.headers['content-type']).toBe('text/html; charset=utf-8')
  expect(shown.headers['retry-after']).toBe('120')
  const head = await exchange(edge.port, get('/', {}, 'HEAD'))
  expect([head.status, head.text, head.headers['content-length']]).toEqual([
    503,
    '',
    shown.headers['content-length'],
  ])
  const problem = await exchange(edge.port, get('/', { Accept: 'application/json' }))
  expect(JSON.parse(problem.text)).toMatchObject({ status: 503, title: 'Service Unavailable' })
})

test('closes the connection of a request whose body it does not read', async () => {
  const edge = await start({ maintenance: {} })
  const post = 'POST / HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 5\r\n\r\nhello'
  const answer = await exchange(edge.port, post)
  expect([answer.status, answer.headers['connection']]).toEqual([503, 'close'])
})

test('refuses handshakes too', async () => {
  const edge = await start({ maintenance: { retryAfterS: 7 } })
  const handshake = get('/', { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' })
  const answer = await exchange(edge.port, handshake)
  expect([answer.status, answer.headers['retry-after']]).toEqual([503, '7'])
})

test('lets in who is allowed, as trusted proxies name them, and keeps exceptions open', async () => {
  const config = { maintenance: { allow: ['192.0.2.0/24', '2001:db8::/32'], except: ['/health'] } }
  const edge = await start(config, ['127.0.0.1'])
  const statusFor = async (client: string, path = '/') =>
    (await exchange(edge.port, get(path, { 'X-Forwarded-For': client }))).status
  expect(await statusFor('192.0.2.9')).toBe(418)
  expect(await statusFor('2001:db8::9')).toBe(418)
  expect(await statusFor('198.51.100.9')).toBe(503)
  expect(await statusFor('198.51.100.9', '/health/live')).toBe(418)
  expect(await statusFor('198.51.100.9', '/healthy')).toBe(503)
  expect(await statusFor('198.51.100.9', '/health/../')).toBe(503)
})

test('is not fooled by a forwarded address of a peer that is not trusted', async () => {
  const edge = await start({ maintenance: { allow: ['192.0.2.0/24'] } })
  expect((await exchange(edge.port, get('/', { 'X-Forwarded-For': '192.0.2.9' }))).status).toBe(503)
})

test.each([
  [{ page: '/nowhere/soon.html' }, 'maintenance.page', 'ENOENT'],
  [{ allow: ['10.0.0.0/8', 'office'] }, 'maintenance.allow.1', '"office"'],
])('%j is refused with its place, and changes nothing', async (maintenance, path, problem) => {
  const edge = await start({})
  const wrong = edge.update({ maintenance }) as Promise<void>
  await expect(wrong).rejects.toMatchObject({ code: 'HAVN_ERR_EDGE_CONFIG' })
  await expect(wrong).rejects.toThrow(`${path}: `)
  await expect(wrong).rejects.toThrow(problem)
  expect((await exchange(edge.port, get('/'))).status).toBe(418)
})
