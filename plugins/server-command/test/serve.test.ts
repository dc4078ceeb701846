import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { appFactsSchema } from '@havn/model'
import type { PluginRef } from '@havn/model'
import type { AppRuntime } from '@havn/plugin-api'
import { sampleApp, serveApp } from '@havn/plugin-api/testing'
import { createRegistry, findPlugins } from '@havn/registry'
import type { Registry } from '@havn/registry'
import { command } from '../src/index.ts'

const fixtures = fileURLToPath(new URL('fixtures', import.meta.url))

let folder: string
let registry: Registry

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'havn-command-'))
  const packages = [join(import.meta.dirname, '..'), '@havn/orchestrator-local']
  const plugins = await findPlugins({ projectDirectory: import.meta.dirname, packages })
  const logger = { debug() {}, info() {}, warn() {}, error() {} }
  registry = createRegistry({ plugins, stateDirectory: join(folder, 'state'), logger })
})
afterEach(async () => {
  await registry.close()
  await rm(folder, { recursive: true })
})

async function serve(choice: PluginRef) {
  const server = (await registry.open('server', choice)).instance
  const orchestrator = (await registry.open('orchestrator', 'local')).instance
  const env = { PATH: dirname(process.execPath) }
  const runtime: AppRuntime = {
    language: 'node',
    interpreter: process.execPath,
    version: process.version,
    env,
  }
  const app = appFactsSchema.parse({ ...sampleApp('node'), root: fixtures })
  return serveApp({ server, orchestrator, app, runtime, runDirectory: join(folder, 'run') })
}

describe('a command, really', () => {
  it('listens on the port that it is told of, by variable and by argument', async () => {
    const served = await serve(command({ command: ['node', 'server.mjs', '$HOST:$PORT'] }))
    const { address } = served
    const { body } = await served.request('/x')
    const where = address.type === 'tcp' ? `${address.host}:${address.port}` : ''
    expect(JSON.parse(body)).toEqual({ url: '/x', args: [where], setting: 'on' })
    await served.stop()
    expect(served.events.filter(({ type }) => type === 'process.exited')).toMatchObject([
      { code: 0, expected: true },
    ])
  })

  it('that does not exist is named', async () => {
    const error = await serve(command({ command: ['no-such-program'] })).catch((error: unknown) => error)
    expect(error).toMatchObject({
      code: 'HAVN_ERR_PROCESS_SPAWN',
      message: expect.stringContaining('no-such-program'),
    })
  })
})
