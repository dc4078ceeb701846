import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import { setErrorContext } from './error-context.ts'
import { chooseErrorFormat } from './error-format.ts'
import { formatErrorPage } from './error-page.ts'
import { sendError } from './send-error.ts'
import type { SendErrorOptions } from './send-error.ts'

const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8'

test.each([
  [BROWSER, 'html'],
  ['text/html', 'html'],
  ['application/json', 'json'],
  ['application/problem+json, text/plain;q=0.5', 'json'],
  ['application/json, text/plain, */*', 'json'],
  ['text/html;q=0.5, application/json', 'json'],
  ['text/html;q=0, */*', 'text'],
  ['text/html;q=nonsense', 'text'],
  ['*/*', 'text'],
  ['image/png', 'text'],
  ['', 'text'],
  [undefined, 'text'],
] as const)('an Accept of %j gets %s', (accept, format) => {
  expect(chooseErrorFormat(accept)).toBe(format)
})

async function answer(options: SendErrorOptions, accept: string, page: Buffer | null = null, method = 'GET') {
  const server = createServer((_request, response) => {
    setErrorContext(response, { requestId: () => 'id-1', page: (status) => (status === 404 ? page : null) })
    response.setHeader('Content-Security-Policy', "default-src 'self'")
    sendError(response, 404, options)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/secret/path?token=hush`
  const response = await fetch(url, { method, headers: { Accept: accept, Connection: 'close' } })
  return { response, text: await response.text() }
}

test('a page names the request and nothing else of it, and asks for nothing', async () => {
  const { response, text } = await answer({}, BROWSER)
  expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
  expect(text).toContain('<html lang="en">')
  expect(text).toContain('name="viewport"')
  expect(text).toContain('<code>id-1</code>')
  expect(text).not.toMatch(/secret|hush|127\.0\.0\.1|<script|https?:|havn/i)
  // Its own policy, in the place of the site's, which may forbid styles within pages.
  expect(response.headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'sha256-/)
})

test('JSON names it too, and text stays as short as it can', async () => {
  const json = await answer({ message: 'Not here.' }, 'application/json')
  expect(json.response.headers.get('content-type')).toBe('application/problem+json')
  const problem = {
    type: 'about:blank',
    title: 'Not Found',
    status: 404,
    detail: 'Not here.',
    requestId: 'id-1',
  }
  expect(JSON.parse(json.text)).toEqual(problem)
  expect((await answer({ message: 'Not here.' }, '*/*')).text).toBe('404 Not Found\n\nNot here.\n')
})

test("the site's own page takes the place of ours, for those who want pages", async () => {
  const page = Buffer.from('<h1>Ours</h1>')
  const { response, text } = await answer({}, BROWSER, page)
  expect(text).toBe('<h1>Ours</h1>')
  expect(response.headers.get('content-security-policy')).toBe("default-src 'self'")
  expect((await answer({}, '*/*', page)).text).toBe('404 Not Found\n')
  expect((await answer({}, BROWSER, page, 'HEAD')).text).toBe('')
})

test('nothing that is put on a page can become part of it', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('<', '>', '"', "'", '&', 'a', ';') }), (message) => {
      const page = formatErrorPage({ status: 400, title: 'Bad Request', message, requestId: message })
      const tags = page.match(/<[^>]*>/g)
      const plain = formatErrorPage({ status: 400, title: 'Bad Request', message: 'a', requestId: 'a' })
      expect(tags).toEqual(plain.match(/<[^>]*>/g))
    }),
  )
})
