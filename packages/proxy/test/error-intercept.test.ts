import { once } from 'node:events'
import { createServer } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import { parseEdgeConfig } from '../src/index.ts'
import type { EdgeOptions } from '../src/index.ts'
import { exchange, get, portOf, startEdge } from './edge-server.ts'

/** Answers with the status that the path names. */
async function start(more: Omit<EdgeOptions, 'upstream'> = {}) {
  const upstream = createServer((request, response) => {
    response.writeHead(Number(request.url!.slice(1)), {
      'content-type': 'text/x-trace',
      etag: '"trace"',
      'cache-control': 'max-age=60',
      'set-cookie': ['a=1', 'b=2'],
      'retry-after': '7',
    })
    if (request.method === 'HEAD') return void response.end()
    response.write('a trace of ')
    response.end('the stack')
  }).listen(0, '127.0.0.1')
  await once(upstream, 'listening')
  const edge = await startEdge({
    errors: { intercept: [500, 503] },
    ...more,
    upstream: { address: { type: 'tcp', host: '127.0.0.1', port: portOf(upstream) } },
  })
  onTestFinished(async () => {
    await edge[Symbol.asyncDispose]()
    upstream.closeAllConnections()
    upstream.close()
  })
  return edge.port
}

test.each([
  ['text/html', 'text/html; charset=utf-8', /^<!doctype html>[^]*500/i],
  ['application/json', 'application/problem+json', /"status":500/],
  ['*/*', 'text/plain; charset=utf-8', /^500 Internal Server Error\n/],
])('to a client of %s: our body, without what was said of theirs', async (Accept, type, text) => {
  const port = await start()
  const { status, headers, text: body } = await exchange(port, get('/500', { Accept }))
  expect([status, headers['content-type'], headers['content-length']]).toEqual([
    500,
    type,
    String(Buffer.byteLength(body)),
  ])
  expect(body).toMatch(text)
  expect(body).not.toContain('trace')
  expect(headers).toMatchObject({ 'set-cookie': 'a=1, b=2', 'retry-after': '7', 'cache-control': 'no-store' })
  expect(headers).not.toHaveProperty('etag')
})

test('other statuses go out as they are', async () => {
  const port = await start()
  for (const status of [200, 404, 502]) {
    const answer = await exchange(port, get(`/${status}`))
    expect(answer).toMatchObject({ status, headers: { etag: '"trace"' } })
    expect(answer.text).toContain('a trace of ')
  }
})

test('a HEAD has the head of the page, and no body; a POST has both', async () => {
  const port = await start()
  const head = await exchange(port, get('/503', {}, 'HEAD'))
  expect([head.status, head.text, head.headers['content-type']]).toEqual([
    503,
    '',
    'text/plain; charset=utf-8',
  ])
  const sent = get('/503', { 'Content-Length': '1' }, 'POST') + 'x'
  expect((await exchange(port, sent)).text).toBe('503 Service Unavailable\n')
})

test('the page is compressed as any other, and a stored error is intercepted, too', async () => {
  const port = await start({ compression: { minBytes: 1 }, cache: {} })
  for (let round = 0; round < 2; round++) {
    const answer = await exchange(port, get('/500', { Accept: 'text/html', 'Accept-Encoding': 'gzip' }))
    expect([answer.status, answer.headers['content-encoding']]).toEqual([500, 'gzip'])
    expect((await exchange(port, get('/500'))).text).toBe('500 Internal Server Error\n')
  }
})

test.each([[[404]], [[600]], [['5xx']]])('%j is refused with its place', (intercept) => {
  expect(() => parseEdgeConfig({ errors: { intercept } })).toThrow('errors.intercept.0')
})
