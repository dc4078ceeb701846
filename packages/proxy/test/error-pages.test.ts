import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { EdgeOptions } from '../src/index.ts'
import { exchange, get, startEdge } from './edge-server.ts'

function pageFile(content: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'havn-pages-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const file = join(directory, 'page.html')
  writeFileSync(file, content)
  return file
}

/** Nothing listens there, nor is there a folder. */
const nowhere: EdgeOptions = {
  staticFiles: [{ url: '/static/', directory: '/nowhere', kind: 'static' }],
  upstream: { address: { type: 'tcp', host: '127.0.0.1', port: 1 } },
}
const html = { Accept: 'text/html' }

test('stand in for errors of the edge, by status before class', async () => {
  const pages = { 404: pageFile('<p>not here'), '5xx': pageFile('<p>later') }
  await using edge = await startEdge({ ...nowhere, errors: { pages } })
  // The plain lane, then node:http.
  for (const method of ['GET', 'POST']) {
    const answer = await exchange(edge.port, get('/app', { ...html, 'Content-Length': '0' }, method))
    expect(answer).toMatchObject({ status: 502, text: '<p>later' })
  }
  expect(await exchange(edge.port, get('/app', html))).toMatchObject({ status: 502, text: '<p>later' })
  expect(await exchange(edge.port, get('/static/x', html))).toMatchObject({
    status: 404,
    text: '<p>not here',
  })
  const missing = await exchange(edge.port, get('/static/x', html, 'PUT'))
  expect(missing.status).toBe(405)
  expect(missing.text).toContain('<h1>Method Not Allowed</h1>')
})

test('are for those who want HTML', async () => {
  await using edge = await startEdge({ ...nowhere, errors: { pages: { 502: pageFile('<p>later') } } })
  const json = await exchange(edge.port, get('/', { Accept: 'application/json' }))
  expect(JSON.parse(json.text)).toMatchObject({ status: 502, requestId: 'id-1' })
  expect((await exchange(edge.port, get('/'))).text).toBe('502 Bad Gateway\n')
})

test('change with the configuration; one that cannot be used changes nothing', async () => {
  await using edge = await startEdge({ ...nowhere, errors: { pages: { 502: pageFile('<p>one') } } })
  await edge.update({ ...nowhere, errors: { pages: { 502: pageFile('<p>two') } } })
  await expect(
    edge.update({ ...nowhere, errors: { pages: { 502: '/nowhere.html' } } }),
  ).rejects.toMatchObject({
    code: 'HAVN_ERR_EDGE_CONFIG',
    message: expect.stringContaining('errors.pages.502') as string,
  })
  expect((await exchange(edge.port, get('/', html))).text).toBe('<p>two')
})

test.each([
  ['a file that is not there', { 404: '/nowhere.html' }, 'errors.pages.404'],
  ['a folder', { '4xx': '/' }, 'EISDIR'],
  ['what is no status', { 4040: '/x.html' }, 'errors.pages.4040'],
])('%s is refused at the start', async (_name, pages, words) => {
  await expect(startEdge({ ...nowhere, errors: { pages } })).rejects.toThrowError(words)
})

test('a page beyond 256 KiB is refused at the start', async () => {
  const pages = { 404: pageFile('x'.repeat(256 * 1024 + 1)) }
  await expect(startEdge({ ...nowhere, errors: { pages } })).rejects.toThrowError('262145 bytes')
})
