import { expect, it } from 'vitest'
import { toVersionSpecifier } from './poetry-constraint.ts'

it.each([
  ['^3.10', '>=3.10,<4'],
  ['^0.2.3', '>=0.2.3,<0.3'],
  ['^0.0.3', '>=0.0.3,<0.0.4'],
  ['^0', '>=0,<1'],
  ['~2.1.4', '>=2.1.4,<2.2'],
  ['~2', '>=2,<3'],
  ['>=3.9, <3.13', '>=3.9,<3.13'],
  ['1.2.*', '==1.2.*'],
  ['1.2.3', '==1.2.3'],
  ['=1.2', '==1.2'],
  ['*', ''],
  ['^2 || ^3', null],
])('%s', (constraint, specifier) => {
  expect(toVersionSpecifier(constraint)).toBe(specifier)
})
