import type { SourceTree } from '@havn/plugin-api'
import { expect, it } from 'vitest'
import { detectPython } from './detect.ts'

function treeOf(files: Record<string, string>): SourceTree {
  return {
    root: '/app',
    read: async (path) => files[path] ?? null,
    list: async (path = '.') => {
      const prefix = path === '.' ? '' : `${path}/`
      const below = Object.keys(files).filter((file) => file.startsWith(prefix))
      return [...new Set(below.map((file) => file.slice(prefix.length).replace(/\/.*/, '/')))].sort()
    },
  }
}

it.each<[string, Record<string, string>, object | null]>([
  ['Flask', { 'app.py': '\nfrom flask import Flask\n' }, { framework: { name: 'Flask' }, confidence: 0.8 }],
  ['FastAPI in src', { 'src/shop/main.py': 'import fastapi\n' }, { framework: { name: 'FastAPI' } }],
  [
    'bare WSGI',
    { 'a.py': 'def app(environ, start_response):\n' },
    { framework: { name: 'WSGI' }, confidence: 0.7 },
  ],
  ['bare ASGI', { 'a.py': 'async def app(scope, receive, send):\n' }, { framework: { name: 'ASGI' } }],
  [
    'a typed ASGI call',
    { 'a.py': 'class A:\n  async def __call__(self, scope: Scope, receive: Receive, send: Send):\n' },
    { confidence: 0.7 },
  ],
  ['a script', { 'a.py': 'print("flask")\n' }, null],
  ['tests alone', { 'tests/app.py': 'import flask\n', 'test_app.py': 'import flask\n' }, null],
  ['an environment', { '.venv/lib/app.py': 'import flask\n' }, null],
])('%s', async (_, files, expected) => {
  const detection = await detectPython(treeOf(files), { env: {} })
  if (expected === null) expect(detection).toBeNull()
  else expect(detection).toMatchObject(expected)
})

it('takes a Python entry that the deployment names, and leaves files of JavaScript to others', async () => {
  expect(await detectPython(treeOf({}), { env: {}, entry: 'shop:app' })).toMatchObject({ confidence: 0.85 })
  expect(await detectPython(treeOf({ 'app.py': 'import flask' }), { env: {}, entry: './app.ts' })).toBeNull()
})

it('says the line', async () => {
  const detection = await detectPython(treeOf({ 'app.py': '# a\n\nimport flask\n' }), { env: {} })
  expect(detection?.evidence).toEqual([
    { fact: 'framework', because: 'app.py imports Flask', file: 'app.py', line: 3 },
  ])
})
