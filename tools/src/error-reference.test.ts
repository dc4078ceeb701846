import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { formatErrorReference, readDeclaredErrors } from './error-reference.ts'

const declared = readDeclaredErrors()
const page = readFileSync(resolve(import.meta.dirname, '../../docs/reference/errors.md'), 'utf8')

test('docs/reference/errors.md and the codes agree, both ways (npm run reference writes it)', () => {
  expect(page).toBe(formatErrorReference(declared))
})

test('no code is declared twice', () => {
  const codes = declared.map(({ code }) => code)
  expect(codes.filter((code, i) => codes.indexOf(code) !== i)).toEqual([])
})

test.each(declared)('$code says what was seen and what to change', ({ code, message, hint }) => {
  expect(code).toMatch(/^HAVN_ERR_[A-Z]+(_[A-Z0-9]+)+$/)
  expect(message.length).toBeGreaterThan(8)
  expect(hint.length).toBeGreaterThan(8)
})
