import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startSupervisor } from '@havn/gateway'
import { edgeModule } from '@havn/proxy'
import { expect, onTestFinished, test } from 'vitest'

const ANSWER = `
let count = 0
export function answer(url, known, cookie) {
  const path = new URL(url, 'http://shop.test').pathname
  const headers = { 'X-Count': String(++count), ETag: '"a"' }
  if (path === '/fresh') headers['Cache-Control'] = 'max-age=100'
  if (path === '/stale') Object.assign(headers, { 'Cache-Control': 'max-age=1, stale-while-revalidate=1000', Age: '9' })
  if (path === '/stale' && known === '"a"') return [304, { 'Cache-Control': 'max-age=100', 'X-Cookie': cookie }]
  return [200, headers]
}
`
const APPS = {
  fetch: `${ANSWER}
export default { fetch(request) {
  const [status, headers] = answer(request.url, request.headers.get('if-none-match'), request.headers.get('cookie'))
  return new Response(status === 304 ? null : 'hello', { status, headers })
} }`,
  // It waits for the end of a body that is not there.
  node: `${ANSWER}
export default (request, response) => {
  request.resume().on('end', () => {
    const [status, headers] = answer(request.url, request.headers['if-none-match'], request.headers.cookie)
    response.writeHead(status, headers).end(status === 304 ? undefined : 'hello')
  })
}`,
}

test.each([
  ['fetch', 'thread'],
  ['node', 'thread'],
  ['node', 'process'],
] as const)('the cache before a %s app in a %s', async (kind, isolation) => {
  const directory = await mkdtemp(join(tmpdir(), 'havn-cache-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  await writeFile(join(directory, 'app.mjs'), APPS[kind])
  const gateway = await startSupervisor({
    listeners: [{ type: 'tcp', host: '127.0.0.1', port: 0 }],
    app: { language: 'node', interface: kind, target: 'app.mjs', directory },
    isolation,
    edge: { module: edgeModule, config: { cache: { cacheStatus: true } } },
    log: { level: 'silent' },
  })
  onTestFinished(() => gateway.stop({ force: true }))
  const [address] = gateway.addresses
  if (address?.type !== 'tcp') throw new Error('no TCP address')
  const ask = async (path: string, init?: RequestInit) => {
    const response = await fetch(`http://127.0.0.1:${address.port}${path}`, init)
    return { text: await response.text(), count: response.headers.get('x-count'), headers: response.headers }
  }

  const { count } = await ask('/fresh')
  const again = await ask('/fresh')
  expect(again).toMatchObject({ text: 'hello', count })
  expect(again.headers.get('cache-status')).toMatch(/^Havn; hit; ttl=/)
  expect((await ask('/other')).count).not.toBe((await ask('/other')).count)
  await ask('/fresh', { method: 'POST', body: 'x' })
  expect((await ask('/fresh')).count).not.toBe(count)

  const stale = await ask('/stale')
  const headers = { cookie: 'a=1; b=2' }
  expect((await ask('/stale', { headers })).count).toBe(stale.count)
  // By a request that no client made, as the one that found it stale would have made it.
  await expect.poll(async () => (await ask('/stale')).headers.get('x-cookie')).toBe('a=1; b=2')
  expect((await ask('/stale')).count).toBe(stale.count)
})
