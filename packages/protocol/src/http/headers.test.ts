import { expect, test } from 'vitest'
import { addEnvironHeader, isHopByHop, toAsgiHeaders, toEnvironKey } from './headers.ts'

test('repeated headers: cookies are joined by "; ", all else by ","', () => {
  const environ: Record<string, unknown> = {}
  for (const [name, value] of [
    ['Cookie', 'a=1'],
    ['cookie', 'b=2'],
    ['X-List', '1'],
    ['x-list', '2'],
  ]) {
    addEnvironHeader(environ, name!, value!)
  }
  expect(environ).toEqual({ HTTP_COOKIE: 'a=1; b=2', HTTP_X_LIST: '1,2' })
})

test('Content-Type and Content-Length have no HTTP_ prefix; colliding and framing names are dropped', () => {
  expect(toEnvironKey('content-type')).toBe('CONTENT_TYPE')
  expect(toEnvironKey('Content-Length')).toBe('CONTENT_LENGTH')
  expect(toEnvironKey('X-Forwarded-For')).toBe('HTTP_X_FORWARDED_FOR')
  expect(toEnvironKey('X_Forwarded_For')).toBe(null)
  expect(toEnvironKey('Transfer-Encoding')).toBe(null)
})

test('ASGI headers are lower-case byte strings, in order, with repeats', () => {
  const headers = toAsgiHeaders(['X-B', '1', 'x-a', 'caf\u00e9', 'X-B', '2'])
  expect(headers.map(([name, value]) => [Buffer.from(name).toString(), [...value]])).toEqual([
    ['x-b', [0x31]],
    ['x-a', [0x63, 0x61, 0x66, 0xe9]],
    ['x-b', [0x32]],
  ])
})

test('hop-by-hop fields are known in any case', () => {
  expect(isHopByHop('Connection')).toBe(true)
  expect(isHopByHop('X-Connection')).toBe(false)
})
