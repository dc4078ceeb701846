import { expect, it } from 'vitest'
import { satisfies } from './version-specifier.ts'

it.each([
  ['3.11.7', '', true],
  ['3.11.7', '>=3.9', true],
  ['3.8.18', '>=3.9', false],
  ['3.11.7', '>=3.9,<3.11', false],
  ['3.11.7', '~=3.10', true],
  ['4.0.0', '~=3.10', false],
  ['3.11.7', '~=3.11.8', false],
  ['3.11.7', '==3.11.*', true],
  ['3.12.1', '==3.11.*', false],
  ['3.11.7', '!=3.11.7', false],
  ['3.11.7', '!=3.12.*', true],
  ['3.11.0', '<=3.11', true],
  ['3.11', '==3.11.0', true],
  ['23.0.0', '>=23', true],
  ['22.1', '>23', false],
  ['3.11.7', '@ https://example.org', true],
])('%s meets "%s": %s', (version, specifier, expected) => {
  expect(satisfies(version, specifier)).toBe(expected)
})
