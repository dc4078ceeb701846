import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseDockerIgnore } from '../src/index.ts'

test.each([
  ['.env', '.env', true],
  ['.env', 'a/.env', false],
  ['**/.env', 'a/b/.env', true],
  ['**/.env', '.env', true],
  ['/node_modules/', 'node_modules/x/y', true],
  ['./a', 'a', true],
  ['*.env', 'prod.env', true],
  ['*.env', 'a/prod.env', false],
  ['a/*/c', 'a/b/c/d', true],
  ['a/**/c', 'a/c', true],
  ['a**', 'abc/d', true],
  ['te?t', 'test', true],
  ['[a-c].txt', 'b.txt', true],
  ['[^a-c].txt', 'b.txt', false],
  ['[z-a]', 'z', false],
  ['*\n!src', 'src/x', false],
  ['*\n!src', 'lib/x', true],
  ['!src\n*', 'src', true],
  ['# .env\n\n  \n', '.env', false],
  ['.env\r\n', '.env', true],
  ['a.b', 'axb', false],
])('%j and %s', (text, path, expected) => {
  expect(parseDockerIgnore('.dockerignore', text).ignores(path)).toBe(expected)
})

test('no pattern makes it throw', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'a/*?[]^-!#\\\n ') }), (text) => {
      parseDockerIgnore('.dockerignore', text).ignores('a/b')
    }),
  )
})
