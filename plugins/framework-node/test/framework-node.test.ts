import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { openSourceTree, type AppRuntime, type FrameworkOptions } from '@havn/plugin-api'
import { describeFrameworkPlugin } from '@havn/plugin-api/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { detectNode } from '../src/detect.ts'
import plugin from '../src/index.ts'
import { inspectNode } from '../src/inspect.ts'

const runtime: AppRuntime = {
  language: 'node',
  interpreter: process.execPath,
  version: process.versions.node,
  env: {},
}

describeFrameworkPlugin({
  describe,
  it,
  plugin,
  packageJson: new URL('../package.json', import.meta.url),
  examples: [
    {
      name: 'the Fastify example',
      directory: join(import.meta.dirname, '../../../examples/api'),
      runtime: async () => runtime,
    },
  ],
})

let root: string
beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'havn-node-')))
})
afterEach(() => rm(root, { recursive: true }))

async function open(files: Record<string, string>) {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), text)
  }
  return openSourceTree(root)
}

async function inspect(files: Record<string, string>, given: Partial<FrameworkOptions> = {}) {
  const tree = await open(files)
  const options = { env: {}, ...given }
  const detection = await detectNode(tree, options)
  return detection && inspectNode({ tree, detection, runtime, options })
}

const app = "import Fastify from 'fastify'\nexport default Fastify()\n"
const json = (value: object) => JSON.stringify({ dependencies: { fastify: '5' }, ...value })

it.each<[string, Record<string, string>, string]>([
  ['a usual name', { 'package.json': json({}), 'app.ts': app }, 'app.ts'],
  ['a usual name in src', { 'src/server.ts': app }, 'src/server.ts'],
  ['main', { 'package.json': json({ main: './web/index.js' }), 'web/index.js': app }, 'web/index.js'],
  [
    'exports',
    { 'package.json': json({ exports: { '.': { import: './web.ts' } } }), 'web.ts': app },
    'web.ts',
  ],
  [
    'the start script',
    { 'package.json': json({ scripts: { start: 'exec node lib/web.ts --x' } }), 'lib/web.ts': app },
    'lib/web.ts',
  ],
  [
    'what exports the app before what listens',
    {
      'package.json': json({ scripts: { start: 'node server.ts' } }),
      'server.ts':
        "import http from 'node:http'\nimport app from './app.ts'\nhttp.createServer(app).listen(1)\n",
      'app.ts': app,
    },
    'app.ts',
  ],
  [
    'a main that was not built before the source',
    { 'package.json': json({ main: 'dist/app.js' }), 'src/app.ts': app },
    'src/app.ts',
  ],
])('finds the entry by %s', async (_, files, target) => {
  const facts = await inspect(files)
  expect(facts).toMatchObject({ root, entry: { interface: 'node', target }, framework: { name: 'Fastify' } })
  expect(facts?.env).toEqual({ NODE_ENV: 'production' })
})

it.each<[string, Record<string, string>]>([
  ['a front end', { 'package.json': json({ main: 'index.js' }), 'index.js': "document.title = 'hi'\n" }],
  ['a library', { 'package.json': json({}), 'index.ts': 'export default function add() {}\n' }],
  ['a broken package.json alone', { 'package.json': '{' }],
])('leaves %s alone', async (_, files) => {
  expect(await inspect(files)).toBeNull()
})

it('says that a program that only listens is run as it is', async () => {
  const facts = await inspect({ 'server.js': "import express from 'express'\nexpress().listen(3000)\n" })
  expect(facts?.entry).toEqual({ interface: 'node', target: 'server.js' })
  expect(facts?.evidence).toContainEqual({
    fact: 'entry.listen',
    because: expect.stringContaining('server.command'),
    file: 'server.js',
    line: 2,
  })
})

it('takes what the deployment names', async () => {
  const files = { 'web.ts': 'export const site = () => new Response("hi")\n' }
  expect(
    await inspect(files, { entry: './web.ts#site', env: { NODE_ENV: 'test' }, healthPath: '/up' }),
  ).toMatchObject({
    entry: { interface: 'fetch', target: './web.ts#site' },
    env: {},
    health: { path: '/up', host: 'localhost' },
  })
  await expect(inspect({}, { entry: './none.ts' })).rejects.toMatchObject({
    code: 'HAVN_ERR_NODE_ENTRY_MISSING',
  })
  expect(await inspect({}, { entry: 'shop.wsgi:application' })).toBeNull()
})

it.each<[string, Record<string, string>, object]>([
  [
    'npm',
    { 'package.json': json({}), 'package-lock.json': '{}' },
    { manager: 'npm', files: ['package.json', 'package-lock.json'] },
  ],
  [
    'pnpm',
    { 'package.json': json({}), 'pnpm-lock.yaml': '' },
    { manager: 'pnpm', files: ['package.json', 'pnpm-lock.yaml'] },
  ],
  [
    'yarn',
    { 'package.json': json({}), 'yarn.lock': '' },
    { manager: 'yarn', files: ['package.json', 'yarn.lock'] },
  ],
  [
    'the packageManager',
    { 'package.json': json({ packageManager: 'pnpm@10.0.0' }) },
    { manager: 'pnpm', files: ['package.json'] },
  ],
  ['no dependency', { 'package.json': '{}' }, { manager: 'none', files: ['package.json'] }],
])('installs with %s', async (_, files, expected) => {
  expect((await inspect({ 'app.ts': app, ...files }))?.project).toEqual({ language: 'node', ...expected })
})
