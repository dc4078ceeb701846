import assert from 'node:assert/strict'
import { access, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { pluginApiVersions } from '../plugin.ts'
import type { AnyPlugin, PluginContext, PluginContracts, PluginKind, PluginLifecycle } from '../plugin.ts'
import { frozenCopy } from './purity.ts'
import type { TestKit } from './test-kit.ts'

/** What every suite is given. */
export interface PluginSuiteOptions extends TestKit {
  plugin: AnyPlugin
  /** The plugin's package.json: `new URL('../package.json', import.meta.url)`. */
  packageJson: URL
  /** A configuration as a user would write it; the plugin must do without one otherwise. */
  config?: unknown
}

interface PackageMetadata {
  havn?: { plugins?: { id: string; kind: string; api: number; entry: string; configSchema?: object }[] }
}

/** What is asked of a plugin of any kind: true metadata, a strict configuration, a repeatable end. */
export function describeAnyPlugin(options: PluginSuiteOptions): void {
  const { plugin, it } = options

  it('is what its package.json says', async () => {
    const metadata = await readMetadata(options)
    assert.equal(metadata.kind, plugin.kind, 'kind')
    assert.equal(metadata.api, plugin.apiVersion, 'api')
    assert.ok(plugin.id.startsWith(`${plugin.kind}.`), `${plugin.id} does not start with its kind`)
    assert.equal(
      plugin.apiVersion,
      pluginApiVersions[plugin.kind as PluginKind],
      'written for another contract',
    )
  })

  it('is the default export of the entry in its package.json', async () => {
    const { entry } = await readMetadata(options)
    const path = join(dirname(fileURLToPath(options.packageJson)), entry)
    await access(path)
    const module = await import(/* @vite-ignore */ pathToFileURL(path).href)
    assert.equal(module.default?.id, plugin.id)
  })

  it('has the JSON Schema of its configuration in its package.json, if any', async () => {
    const { configSchema } = await readMetadata(options)
    if (configSchema === undefined) return
    assert.deepEqual(withoutDialect(configSchema), withoutDialect(jsonSchemaOf(plugin)))
  })

  it('takes its configuration and leaves it as it was', async () => {
    const result = await validate(plugin, frozenCopy(options.config ?? {}))
    assert.equal(result.issues, undefined, JSON.stringify(result.issues))
  })

  it('refuses an unknown key in its configuration', async () => {
    const config = { ...(options.config as object), notAKeyOfThisPlugin: 1 }
    const result = await validate(plugin, config)
    assert.ok(result.issues, 'a mistyped key must not pass unseen: use a strict object schema')
  })

  it('starts, is well, drains, and ends as often as it is asked to', async () => {
    await withPlugin<PluginKind, void>(options, async () => {})
    await withPlugin<PluginKind, void>(options, async () => {})
  })
}

/** Sets a plugin up in a folder of its own, starts it, hands it over, and ends it twice. */
export async function withPlugin<Kind extends PluginKind, Result>(
  options: PluginSuiteOptions,
  use: (instance: PluginContracts[Kind] & PluginLifecycle, context: PluginContext) => Promise<Result>,
): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'havn-plugin-'))
  const stateDirectory = join(folder, options.plugin.id)
  const stopping = new AbortController()
  const { signal } = stopping
  const silent = () => {}
  const logger = { debug: silent, info: silent, warn: silent, error: silent }
  const context = { logger, signal, stateDirectory }
  try {
    const parsed = await validate(options.plugin, options.config ?? {})
    if (parsed.issues) throw new Error(`config: ${JSON.stringify(parsed.issues)}`)
    const instance = await options.plugin.setup(parsed.value, context)
    await instance.start?.(signal)
    try {
      await instance.health?.(signal)
      return await use(instance, context)
    } finally {
      await instance.drain?.(signal)
      await instance.drain?.(signal)
      stopping.abort()
      await instance.dispose?.(signal)
      await instance.dispose?.(signal)
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function readMetadata({ packageJson, plugin }: PluginSuiteOptions) {
  const { havn }: PackageMetadata = JSON.parse(await readFile(packageJson, 'utf8'))
  const metadata = havn?.plugins?.find(({ id }) => id === plugin.id)
  assert.ok(metadata, `${fileURLToPath(packageJson)} has no entry for ${plugin.id} in havn.plugins`)
  return metadata
}

type Validated = { issues?: readonly unknown[]; value?: unknown }

async function validate(plugin: AnyPlugin, config: unknown): Promise<Validated> {
  return plugin.config['~standard'].validate(config)
}

/** Standard JSON Schema, which zod 4 and others have. */
function jsonSchemaOf(plugin: AnyPlugin): object {
  const { jsonSchema } = plugin.config['~standard']
  assert.ok(jsonSchema, 'the schema library does not write JSON Schema: leave configSchema out')
  return jsonSchema.input({ target: 'draft-2020-12' })
}

function withoutDialect(schema: object): object {
  const { $schema: _dialect, ...rest } = schema as { $schema?: string }
  return rest
}
