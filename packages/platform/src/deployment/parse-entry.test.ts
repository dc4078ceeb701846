import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { checkInterface, parseEntry } from './parse-entry.ts'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'havn-entry-'))
  await writeFile(join(directory, 'app.ts'), 'export default {}')
})
afterAll(() => rm(directory, { recursive: true }))

test.each([
  ['copenhagen.wsgi:application', 'copenhagen.wsgi:application', 'wsgi'],
  ['copenhagen.asgi', 'copenhagen.asgi:application', 'asgi'],
  ['my_asgi:app', 'my_asgi:app', 'asgi'],
  ['main:app', 'main:app', null],
  ['main:create_app()', 'main:create_app()', null],
  ['wsgiref_app:app', 'wsgiref_app:app', null],
  ['main:state.app', 'main:state.app', null],
])('%s is Python', (text, target, kind) => {
  expect(parseEntry(text, directory)).toEqual({ language: 'python', target, interface: kind })
})

test.each(['app.ts', './app.ts', './app.ts#handler'])('%s is a file', (text) => {
  expect(parseEntry(text, directory)).toEqual({ language: 'node', target: text })
})

test('a file that is not there', () => {
  expect(() => parseEntry('./gone.mjs', directory)).toThrow(
    expect.objectContaining({
      code: 'HAVN_ERR_ENTRY_FILE_MISSING',
      message: `There is no file ${join(directory, 'gone.mjs')}.`,
    }),
  )
})

test.each(['', ':app', 'a-b:app', 'a:', 'a:b:c', '../x', 'a b', 'a:f(1)', '1a:b'])(
  '"%s" is no entry',
  (text) => {
    expect(() => parseEntry(text, directory)).toThrow(
      expect.objectContaining({ code: 'HAVN_ERR_ENTRY_INVALID', exit: 2 }),
    )
  },
)

test('a Python app is not called as JavaScript is', () => {
  const entry = parseEntry('main:app', directory)
  expect(() => checkInterface(entry, 'fetch')).toThrow('--interface was given "fetch"; it takes wsgi or asgi')
  expect(() => checkInterface(entry, 'asgi')).not.toThrow()
  expect(() => checkInterface(parseEntry('app.ts', directory), 'wsgi')).not.toThrow()
})
