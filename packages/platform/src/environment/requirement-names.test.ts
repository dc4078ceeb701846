import { expect, it } from 'vitest'
import { parseRequirement } from './requirement-names.ts'

it.each([
  ['Django>=5.2,<5.3', { name: 'Django', specifier: '>=5.2,<5.3' }],
  ['uvicorn[standard] ~= 0.30  # why', { name: 'uvicorn', specifier: '~= 0.30' }],
  ['zope.interface', { name: 'zope.interface', specifier: '' }],
  ['flask (>=2)', { name: 'flask', specifier: '>=2' }],
  ['pywin32; sys_platform == "win32"', null],
  ['app @ https://example.org/app.whl', null],
  ['-r more.txt', null],
  ['--index-url https://example.org', null],
  ['./local', null],
  ['# nothing', null],
  ['', null],
])('%s', (text, expected) => {
  expect(parseRequirement(text)).toEqual(expected)
})
