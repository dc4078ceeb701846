import { mkdir, mkdtemp, readdir, realpath, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { NodeProject } from '@havn/model'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { EnvironmentEvent, EnvironmentInput } from './environment-input.ts'
import { prepareNodeEnvironment } from './prepare-node-environment.ts'

const project: NodeProject = { language: 'node', manager: 'npm', files: ['package.json'] }
let root: string
let events: EnvironmentEvent[]

beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'havn-node-')))
  events = []
  // A dependency that lies beside the app needs no registry.
  await mkdir(join(root, 'app'))
  await mkdir(join(root, 'anchor'))
  await writeFile(join(root, 'anchor/package.json'), '{"name": "anchor", "version": "1.0.0"}')
})
afterEach(() => rm(root, { recursive: true, force: true }))

const app = () => join(root, 'app')
const depend = (dependencies: object) =>
  writeFile(join(app(), 'package.json'), JSON.stringify({ name: 'app', dependencies }))

function prepare(options: Partial<EnvironmentInput<NodeProject>> = {}) {
  return prepareNodeEnvironment({
    root: app(),
    project,
    env: process.env as Record<string, string>,
    extraRequirements: [],
    install: true,
    onEvent: (event) => events.push(event),
    signal: new AbortController().signal,
    ...options,
  })
}

function steps(): string[] {
  return events.splice(0).flatMap(({ type }) => (type === 'job.output' ? [] : type.replace('job.', '')))
}

it('installs packages once, and again when package.json has changed', async () => {
  await depend({ anchor: 'file:../anchor' })
  const runtime = await prepare()
  expect(steps()).toEqual(['started', 'finished'])
  expect(runtime).toMatchObject({
    language: 'node',
    interpreter: process.execPath,
    version: process.versions.node,
  })
  expect((await stat(join(app(), 'node_modules/anchor/package.json'))).isFile()).toBe(true)

  await prepare()
  expect(steps()).toEqual(['skipped'])
  await writeFile(
    join(app(), 'package.json'),
    JSON.stringify({ name: 'app', version: '2.0.0', dependencies: { anchor: 'file:../anchor' } }),
  )
  await prepare()
  expect(steps()).toEqual(['started', 'finished'])
})

it('finds packages in a folder above', async () => {
  await depend({ anchor: '1' })
  await mkdir(join(root, 'node_modules/anchor'), { recursive: true })
  await prepare()
  expect(steps()).toEqual(['skipped'])
})

it('does nothing for an app without packages', async () => {
  await writeFile(join(app(), 'app.ts'), '')
  await prepare()
  expect(steps()).toEqual([])
  expect(await readdir(app())).toEqual(['app.ts'])
})

it("fails with npm's own words, and tries again", async () => {
  await depend({ anchor: 'file:../no-such-folder/anchor.tgz' })
  const failure = await prepare().catch((error) => error)
  expect(failure.code).toBe('HAVN_ERR_NODE_INSTALL')
  expect(failure.detail).toContain('no-such-folder')
  expect(steps()).toEqual(['started', 'failed'])
  await depend({ anchor: 'file:../anchor' })
  await prepare()
  expect(steps()).toEqual(['started', 'finished'])
})

it('says what is missing when it may not install, and changes nothing', async () => {
  await depend({ anchor: '1' })
  const failure = await prepare({ install: false }).catch((error) => error)
  expect(failure).toMatchObject({
    code: 'HAVN_ERR_NODE_MODULES_MISSING',
    message: expect.stringContaining('anchor'),
  })
  expect(await readdir(app())).toEqual(['package.json'])
})

it('says when the manager is missing', async () => {
  await depend({ anchor: '1' })
  const pnpm: NodeProject = { ...project, manager: 'pnpm', files: ['package.json', 'pnpm-lock.yaml'] }
  const failure = await prepare({ project: pnpm, env: { PATH: root } }).catch((error) => error)
  expect(failure).toMatchObject({
    code: 'HAVN_ERR_NODE_MANAGER_MISSING',
    message: expect.stringContaining('pnpm'),
  })
})
