import { expect, test } from 'vitest'
import { parseSite } from './parse-site.ts'

test.each([
  ['https://example.com', 'https://example.com/'],
  ['http://127.0.0.1:8000/polls/', 'http://127.0.0.1:8000/polls/'],
  ['https://[::1]:8443', 'https://[::1]:8443/'],
])('%s is a site', (text, href) => expect(parseSite(text).href).toBe(href))

test.each([
  ['example.com', 'it is no URL'],
  ['', 'it is no URL'],
  ['ftp://example.com', 'ftp: is neither'],
  ['file:///etc/passwd', 'file: is neither'],
  ['https://ops:hunter2@example.com/', 'it has a login'],
  ['https://example.com/?token=hunter2', 'it has a query'],
  ['https://example.com/#top', 'it has a query or a fragment'],
])('%s is none, and what it hides stays hidden', (text, problem) => {
  expect(() => parseSite(text)).toThrow(problem)
  expect(() => parseSite(text)).not.toThrow('hunter2')
})
