import { globSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { errorDefinitions, isDisconnected, ProtocolError } from './errors.ts'

test('an error says what is asked, what was seen, where it is written and what to change', () => {
  const error = new ProtocolError('HAVN_ERR_WSGI_BODY_NOT_BYTES', 'got the string "hi"')
  expect(error.message).toBe(
    'The iterable yields bytestrings; got the string "hi" (PEP 3333, Specification Details)',
  )
  expect(error).toMatchObject({
    code: 'HAVN_ERR_WSGI_BODY_NOT_BYTES',
    status: 500,
    section: 'PEP 3333, Specification Details',
  })
  expect(error.hint).toMatch(/Buffer/)
})

test('a disconnect is known by its code, wherever the error was made', () => {
  expect(isDisconnected(new ProtocolError('HAVN_ERR_ASGI_DISCONNECTED', 'x'))).toBe(true)
  expect(isDisconnected({ code: 'HAVN_ERR_ASGI_DISCONNECTED' })).toBe(true)
  expect(isDisconnected(new Error('gone'))).toBe(false)
  expect(isDisconnected(null)).toBe(false)
})

test('every code is thrown in some test', () => {
  const cwd = resolve(import.meta.dirname, '..')
  const tests = globSync('{src,test}/**/*.test.ts', { cwd }).map((file) =>
    readFileSync(resolve(cwd, file), 'utf8'),
  )
  const text = tests.join('\n')
  // A code may be written without the part that all of them share.
  const untested = Object.keys(errorDefinitions).filter(
    (code) => !text.includes(code.replace('HAVN_ERR_', '')),
  )
  expect(untested).toEqual([])
})
