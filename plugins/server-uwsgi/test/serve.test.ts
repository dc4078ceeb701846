import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { appFactsSchema } from '@havn/model'
import type { AppFacts, PluginRef } from '@havn/model'
import type { AppRuntime, ServerSettings } from '@havn/plugin-api'
import { sampleApp, sampleSettings, serveApp } from '@havn/plugin-api/testing'
import { createRegistry, findPlugins } from '@havn/registry'
import type { Registry } from '@havn/registry'
import { ensurePython, requirePart } from '@havn/tools/parts'
import { uwsgi } from '../src/index.ts'

const fixtures = fileURLToPath(new URL('fixtures', import.meta.url))
const python = await requirePart('uwsgi', () => ensurePython(['uwsgi>=2.0.30']))

let folder: string
let registry: Registry

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'havn-uwsgi-'))
  const packages = [join(import.meta.dirname, '..'), '@havn/orchestrator-local']
  const plugins = await findPlugins({ projectDirectory: import.meta.dirname, packages })
  const logger = { debug() {}, info() {}, warn() {}, error() {} }
  registry = createRegistry({ plugins, stateDirectory: join(folder, 'state'), logger })
})
afterEach(async () => {
  await registry.close()
  await rm(folder, { recursive: true })
})

function app(target: string, change: Partial<AppFacts> = {}): AppFacts {
  const sample = sampleApp(target.startsWith('asgi') ? 'asgi' : 'wsgi')
  return appFactsSchema.parse({ ...sample, ...change, root: fixtures, entry: { ...sample.entry, target } })
}

async function serve(facts: AppFacts, choice: PluginRef = uwsgi(), settings: Partial<ServerSettings> = {}) {
  const server = (await registry.open('server', choice)).instance
  const orchestrator = (await registry.open('orchestrator', 'local')).instance
  const env = { PATH: process.env['PATH'] ?? '', PYTHONDONTWRITEBYTECODE: '1' }
  const runtime: AppRuntime = { language: 'python', interpreter: python!, version: '3', env }
  return serveApp({ server, orchestrator, app: facts, runtime, runDirectory: join(folder, 'run'), settings })
}

describe.skipIf(python === null)('uWSGI, really', () => {
  it('serves a WSGI app in its environment, and believes the edge', async () => {
    const served = await serve(app('wsgi_app:application'), uwsgi(), { workerThreads: undefined })
    const long = 'a'.repeat(9_000)
    const headers = { 'x-forwarded-proto': 'https', 'x-long': long }
    const response = await served.request(`/?q=${long}`, { headers })
    expect(response.status).toBe(200)
    expect(response.headers['connection']).toBe('close')
    expect(JSON.parse(response.body)).toMatchObject({
      scheme: 'https',
      host: 'sample.test',
      query: `q=${long}`,
      multithread: false,
      setting: 'on',
    })
    const posted = await served.request('/', { method: 'POST', body: Buffer.alloc(3_000_000) })
    expect(JSON.parse(posted.body)).toMatchObject({ read: 3_000_000 })
    const lines = served.events.flatMap((event) => (event.type === 'process.output' ? [event.line] : []))
    expect(lines.join('\n')).not.toContain('GET /')
    await served.stop()
    await expect(stat(join(folder, 'run'))).rejects.toThrow('ENOENT')
    expect(served.events.filter(({ type }) => type === 'process.exited')).toMatchObject([
      { code: 0, expected: true },
    ])
  })

  it('uses the environment whose uWSGI it is', async () => {
    const served = await serve(app('wsgi_app:application'), uwsgi(), { workerThreads: undefined })
    const lines = served.events.map((event) => JSON.stringify(event)).join('\n')
    expect(lines).toContain(dirname(python!))
  })

  it('runs an app that is not thread-safe in one thread', async () => {
    const served = await serve(app('wsgi_app:application', { threadSafe: false }))
    expect(JSON.parse((await served.request('/')).body)).toMatchObject({ multithread: false })
  })

  it('finishes a request before it ends', async () => {
    const served = await serve(app('wsgi_app:application'), uwsgi(), { workerThreads: undefined })
    const slow = served.request('/slow')
    const began = { type: 'process.output', process: 'app', stream: 'stderr', line: 'slow began' }
    await expect.poll(() => served.events, { timeout: 10_000 }).toContainEqual(began)
    await served.stop()
    expect((await slow).status).toBe(200)
  })

  it('ends a request that takes longer than its time', async () => {
    const timeouts = { ...sampleSettings().timeouts, requestMs: 1_000 }
    const served = await serve(app('wsgi_app:application'), uwsgi(), { timeouts, workerThreads: undefined })
    await expect(served.request('/hang')).rejects.toThrow()
    expect((await served.request('/')).status).toBe(200)
  })

  it('tells the traceback of an app that does not import', async () => {
    const error = await serve(app('broken_app:application')).catch((error: unknown) => error)
    expect(error).toMatchObject({
      code: 'HAVN_ERR_PROCESS_DIED',
      message: expect.stringContaining('code 22'),
    })
    expect((error as { detail: string }).detail).toContain("No module named 'a_module_that_nobody_has'")
  })
})
