import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  decodeLatin1Path,
  decodePath,
  encodePath,
  fromLatin1,
  percentDecode,
  rawPathOf,
  stripRoot,
  toLatin1,
} from './path.ts'

describe('percentDecode', () => {
  test('gives every byte back that was encoded', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const encoded = Array.from(bytes, (byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')
        expect([...percentDecode(encoded)]).toEqual([...bytes])
      }),
    )
  })

  test('agrees with decodeURIComponent wherever that succeeds', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const encoded = encodeURIComponent(text.toWellFormed())
        expect(decodePath(encoded)).toBe(decodeURIComponent(encoded))
      }),
    )
  })

  test.each(['%', '%4', '%zz', '%%41', 'a%'])('leaves a malformed escape in %s alone', (path) => {
    expect(percentDecode(path).toString()).toBe(path.replace('%41', 'A'))
  })
})

describe('latin1 tunnelling of PATH_INFO (PEP 3333, Unicode Issues)', () => {
  test('each byte is a code point', () => {
    expect(decodeLatin1Path('/caf%C3%A9')).toBe('/cafÃ©')
    expect(decodeLatin1Path('/%ff')).toBe('/ÿ')
    expect(decodeLatin1Path('/plain')).toBe('/plain')
  })

  test('text survives the way there and back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const native = toLatin1(text.toWellFormed())
        expect(/[^\u0000-\u00ff]/.test(native)).toBe(false)
        expect(fromLatin1(native)).toBe(text.toWellFormed())
      }),
    )
  })
})

test('decodePath replaces bytes that are no UTF-8', () => {
  expect(decodePath('/%ff/x')).toBe('/\ufffd/x')
})

test('encodePath and decodePath are inverse, and no query or fragment appears', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      const encoded = encodePath(text.toWellFormed())
      expect(encoded).not.toMatch(/[?#]/)
      expect(decodePath(encoded)).toBe(text.toWellFormed())
    }),
  )
})

test.each([
  ['/a/b?c=/d', '/a/b'],
  ['http://host/a?b', '/a'],
  ['http://host', '/'],
  ['*', '*'],
  ['//evil/x', '//evil/x'],
  ['/a?b=http://c/d', '/a'],
])('rawPathOf(%s) is %s', (target, path) => {
  expect(rawPathOf(target)).toBe(path)
})

test.each([
  ['/blog/post', '/blog', '/post'],
  ['/blog', '/blog', ''],
  ['/blogger', '/blog', undefined],
  ['/x', '', '/x'],
])('stripRoot(%s, %s) is %s', (path, root, rest) => {
  expect(stripRoot(path, root)).toBe(rest)
})
