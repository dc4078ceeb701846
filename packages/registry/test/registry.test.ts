import { existsSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { MonitorContract, PluginLogger } from '@havn/plugin-api'
import { createRegistry, findPlugins } from '../src/index.ts'
import type { PhaseTimeouts, Registry } from '../src/index.ts'
import { createPackageFixture } from './package-fixture.ts'
import type { PackageFixture } from './package-fixture.ts'

const calls = globalThis as unknown as { havnCalls: string[] }
let fixture: PackageFixture
let warnings: string[]
let logger: PluginLogger

beforeEach(async () => {
  fixture = await createPackageFixture()
  calls.havnCalls = []
  warnings = []
  logger = { debug() {}, info() {}, error() {}, warn: (_, message) => void warnings.push(message) }
})
afterEach(() => fixture.remove())

async function registryOf(packages: string[], timeouts?: Partial<PhaseTimeouts>): Promise<Registry> {
  const plugins = await findPlugins({ projectDirectory: fixture.root, packages })
  return createRegistry({ plugins, stateDirectory: `${fixture.root}/state`, logger, timeouts })
}

const errorOf = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.fail('it did not reject'),
    (error) => error as Error & { code: string; hint: string; detail?: string },
  )

describe('what is installed', () => {
  it('is listed from metadata, without loading anything', async () => {
    await fixture.plugin({ package: 'a', id: 'server.a', before: 'globalThis.havnCalls.push("loaded")' })
    await fixture.plugin({ package: 'old', id: 'server.old', api: 99 })
    const registry = await registryOf(['a', 'old'])
    expect(registry.list()).toEqual([
      {
        id: 'server.a',
        kind: 'server',
        api: 1,
        compatible: true,
        package: 'a',
        version: '1.2.3',
        source: 'config',
      },
      {
        id: 'server.old',
        kind: 'server',
        api: 99,
        compatible: false,
        package: 'old',
        version: '1.2.3',
        source: 'config',
      },
    ])
    expect(calls.havnCalls).toEqual([])
  })

  it('comes from the config, then the direct dependencies, then the caller; never from further down', async () => {
    await fixture.write('package.json', {
      dependencies: { direct: '*', missing: '*' },
      devDependencies: { dev: '*' },
    })
    await fixture.plugin({ package: 'direct', id: 'monitor.direct' })
    await fixture.plugin({ package: 'transitive', id: 'monitor.transitive' })
    await fixture.plugin({ package: '@scope/dev', id: 'monitor.scoped' })
    await fixture.plugin({ package: 'dev', id: 'monitor.dev' })
    await fixture.plugin({ package: 'own', id: 'monitor.own', in: 'caller' })
    const found = await findPlugins({
      projectDirectory: fixture.root,
      packages: ['@scope/dev', './node_modules/direct'],
      bundled: { from: `file://${fixture.root}/caller/index.mjs`, packages: ['own', 'direct'] },
    })
    expect(found.map(({ id, source }) => [id, source])).toEqual([
      ['monitor.scoped', 'config'],
      ['monitor.direct', 'config'],
      ['monitor.dev', 'project'],
      ['monitor.own', 'platform'],
    ])
  })

  it('says which package of the config is missing', async () => {
    const error = await errorOf(findPlugins({ projectDirectory: fixture.root, packages: ['absent'] }))
    expect(error.code).toBe('HAVN_ERR_PLUGIN_PACKAGE')
    expect(error.message).toContain('absent')
  })

  it.each([
    [{ plugins: [{ id: 'server.x', kind: 'server', api: 1, entry: './../../x.js' }] }, 'outside the package'],
    [{ plugins: [{ id: 'monitor.x', kind: 'server', api: 1, entry: './x.js' }] }, 'starts with the kind'],
    [{ plugins: [{ id: 'server.x', kind: 'servant', api: 1, entry: './x.js' }] }, 'plugins.0.kind'],
    [{ plugins: {} }, 'plugins'],
  ])('refuses metadata that is not right: %j', async (havn, words) => {
    await fixture.write('node_modules/bad/package.json', { name: 'bad', havn })
    const error = await errorOf(findPlugins({ projectDirectory: fixture.root, packages: ['bad'] }))
    expect(error.code).toBe('HAVN_ERR_PLUGIN_METADATA')
    expect(error.message).toContain(words)
  })
})

describe('a choice', () => {
  it('is a short name, an id or a reference, and becomes a reference', async () => {
    await fixture.plugin({ package: 'g', id: 'server.gunicorn' })
    const registry = await registryOf(['g'])
    const ref = { id: 'server.gunicorn', package: 'g', version: '1.2.3' }
    expect(registry.resolve('server', 'gunicorn')).toEqual(ref)
    expect(registry.resolve('server', 'server.gunicorn')).toEqual(ref)
    const config = { workers: 2 }
    expect(registry.resolve('server', { id: 'server.gunicorn', config })).toEqual({ ...ref, config })
  })

  it('that nothing answers to gets the nearest names', async () => {
    await fixture.plugin({ package: 'g', id: 'server.gunicorn' })
    await fixture.plugin({ package: 'm', id: 'monitor.gunicorm' })
    const registry = await registryOf(['g', 'm'])
    expect(() => registry.resolve('server', 'gunicron')).toThrow(/server\.gunicron\. Did you mean gunicorn\?/)
    expect(() => registry.resolve('server', 'nginx')).toThrow(/called server\.nginx\.$/)
    expect(() => registry.resolve('server', 'monitor.gunicorm')).toThrow(
      /of kind monitor; a server is wanted/,
    )
  })

  it('that two packages answer to must name its package', async () => {
    await fixture.plugin({ package: 'one', id: 'server.x' })
    await fixture.plugin({ package: 'two', id: 'server.x' })
    const registry = await registryOf(['one', 'two'])
    expect(() => registry.resolve('server', 'x')).toThrow(/one, two/)
    expect(registry.resolve('server', { id: 'server.x', package: 'two' }).package).toBe('two')
  })
})

describe('a plugin that opens', () => {
  const setup = (name: string) => `(config, { stateDirectory }) => {
    const say = (word) => globalThis.havnCalls.push('${name} ' + word)
    say('setup ' + JSON.stringify(config) + ' in ' + stateDirectory.split('/').slice(-2).join('/'))
    return { start: () => say('start'), health: () => say('health'), drain: () => say('drain'), dispose: () => say('dispose') }
  }`

  it('goes through its phases in order, and back in reverse, once', async () => {
    const schema = 'z.strictObject({ port: z.int().default(1) })'
    await fixture.plugin({ package: 'a', id: 'server.a', setup: setup('a'), schema })
    await fixture.plugin({ package: 'b', id: 'proxy.b', setup: setup('b') })
    const registry = await registryOf(['a', 'b'])
    const a = await registry.open('server', { id: 'server.a', config: { port: 7 } })
    await registry.open('proxy', 'b')
    expect(a.degraded).toBeUndefined()
    expect(existsSync(`${fixture.root}/state`), 'a plugin that writes nothing leaves no folder').toBe(false)
    await registry.close()
    await registry.close()
    await a.close()
    expect(calls.havnCalls).toEqual([
      'a setup {"port":7} in state/server.a',
      'a start',
      'a health',
      'b setup {} in state/proxy.b',
      'b start',
      'b health',
      'b drain',
      'b dispose',
      'a drain',
      'a dispose',
    ])
  })

  it('is stopped again when it is not well', async () => {
    const sick = `() => ({
      health() { throw new Error('no disk') },
      drain() { globalThis.havnCalls.push('drain') },
      dispose() { globalThis.havnCalls.push('dispose') },
    })`
    await fixture.plugin({ package: 'a', id: 'server.a', setup: sick })
    const error = await errorOf((await registryOf(['a'])).open('server', 'a'))
    expect(error.code).toBe('HAVN_ERR_PLUGIN_SETUP')
    expect(error.message).toBe('server.a failed in health: no disk')
    expect(calls.havnCalls).toEqual(['drain', 'dispose'])
  })

  it('gets its signal aborted when its time is over', async () => {
    const slow = `(config, { signal }) => new Promise(() => {
      signal.addEventListener('abort', () => globalThis.havnCalls.push(signal.reason.code))
    })`
    await fixture.plugin({ package: 'a', id: 'server.a', setup: slow })
    const error = await errorOf((await registryOf(['a'], { setup: 50 })).open('server', 'a'))
    expect(error.code).toBe('HAVN_ERR_PLUGIN_TIMEOUT')
    expect(error.message).toBe('server.a did not finish its setup within 50 ms.')
    expect(calls.havnCalls).toEqual(['HAVN_ERR_PLUGIN_TIMEOUT'])
  })

  it('is disposed even when draining fails', async () => {
    const stubborn = `() => ({
      drain() { throw new Error('busy') },
      dispose() { globalThis.havnCalls.push('dispose') },
    })`
    await fixture.plugin({ package: 'a', id: 'server.a', setup: stubborn })
    const registry = await registryOf(['a'])
    await registry.open('server', 'a')
    expect((await errorOf(registry.close())).message).toBe('server.a failed in drain: busy')
    expect(calls.havnCalls).toEqual(['dispose'])
  })
})

describe('a plugin that does not open', () => {
  it('names path and nearest key for a mistake in its configuration', async () => {
    const schema =
      'z.strictObject({ workers: z.int().optional(), tls: z.strictObject({ certificate: z.string() }).optional() })'
    await fixture.plugin({ package: 'a', id: 'server.a', schema })
    const registry = await registryOf(['a'])
    const config = { workerz: 2, tls: { certifcate: 'x', certificate: 1 } }
    const error = await errorOf(registry.open('server', { id: 'server.a', config }))
    expect(error.code).toBe('HAVN_ERR_PLUGIN_CONFIG')
    expect(error.message).toContain('workerz: no such key. Did you mean workers?')
    expect(error.message).toContain('tls.certifcate: no such key. Did you mean certificate?')
    expect(error.message).toContain('tls.certificate: Invalid input: expected string')
  })

  it('is refused unread when it is written for another contract', async () => {
    const before = 'globalThis.havnCalls.push("loaded")'
    await fixture.plugin({ package: 'a', id: 'server.a', api: 2, before })
    const error = await errorOf((await registryOf(['a'])).open('server', 'a'))
    expect(error.code).toBe('HAVN_ERR_PLUGIN_API_VERSION')
    expect(error.hint).toBe('Update Havn.')
    expect(calls.havnCalls).toEqual([])
  })

  it.each([
    ['says another contract than its metadata', { moduleApi: 3 }, 'HAVN_ERR_PLUGIN_API_VERSION', 'version 3'],
    [
      'says another id than its metadata',
      { moduleId: 'server.other' },
      'HAVN_ERR_PLUGIN_ID_MISMATCH',
      'server.other',
    ],
    ['throws on import', { before: 'throw new Error("boom")' }, 'HAVN_ERR_PLUGIN_LOAD', 'boom'],
    ['is no module', { before: 'this is not JavaScript' }, 'HAVN_ERR_PLUGIN_LOAD', 'server.a'],
    [
      'never loads',
      { before: 'await new Promise(() => setInterval(() => {}, 1000).unref())' },
      'HAVN_ERR_PLUGIN_TIMEOUT',
      'load',
    ],
  ])('is named when it %s', async (_, options, code, words) => {
    await fixture.plugin({ package: 'a', id: 'server.a', ...options })
    const error = await errorOf((await registryOf(['a'], { load: 3_000 })).open('server', 'a'))
    expect(error.code).toBe(code)
    expect(error.message).toContain(words)
    expect(error.message).toContain('server.a')
  })
})

describe('a monitor', () => {
  it('that fails is done without, and the reason is kept', async () => {
    await fixture.plugin({
      package: 'm',
      id: 'monitor.m',
      setup: '() => { throw new Error("no collector") }',
    })
    const monitor = await (await registryOf(['m'])).open('monitor', 'm')
    expect(monitor.degraded?.message).toBe('monitor.m failed in setup: no collector')
    expect(monitor.instance.environment({} as never)).toEqual({})
    expect(warnings).toEqual(['carrying on without monitor.m'])
  })

  it('that throws while it runs disturbs nobody, and is told of once', async () => {
    const setup = '() => ({ environment() { throw new Error("e") }, receive() { throw new Error("r") } })'
    await fixture.plugin({ package: 'm', id: 'monitor.m', setup })
    const { instance } = await (await registryOf(['m'])).open('monitor', 'm')
    const event = { type: 'release.ready', release: 'r1' } satisfies Parameters<MonitorContract['receive']>[0]
    instance.receive(event)
    instance.receive(event)
    expect(instance.environment({} as never)).toEqual({})
    expect(warnings).toHaveLength(2)
  })

  it('with a mistake in its configuration is still an error', async () => {
    await fixture.plugin({ package: 'm', id: 'monitor.m' })
    const registry = await registryOf(['m'])
    const error = await errorOf(registry.open('monitor', { id: 'monitor.m', config: { url: 'x' } }))
    expect(error.code).toBe('HAVN_ERR_PLUGIN_CONFIG')
  })
})
