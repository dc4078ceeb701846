import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** A folder with packages in it, written for one test. */
export interface PackageFixture {
  root: string
  write(path: string, content: string | object): Promise<void>
  /** A plugin package in the root's node_modules; `setup` is the source text of the plugin's setup function. */
  plugin(options: PluginFixture): Promise<void>
  remove(): Promise<void>
}

export interface PluginFixture {
  package: string
  id: string
  /** Said in package.json. */
  api?: number
  /** Said by the module, where it differs. */
  moduleId?: string
  moduleApi?: number
  /** Module text that comes first. */
  before?: string
  schema?: string
  setup?: string
  /** Folder in whose node_modules it lies; the root otherwise. */
  in?: string
}

export async function createPackageFixture(): Promise<PackageFixture> {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'havn-registry-')))
  async function write(path: string, content: string | object) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), typeof content === 'string' ? content : JSON.stringify(content))
  }
  return {
    root,
    write,
    async plugin(options) {
      const { id, api = 1 } = options
      const kind = id.split('.')[0]
      const folder = join(options.in ?? '', 'node_modules', options.package)
      const havn = { plugins: [{ id, kind, api, entry: './plugin.mjs' }] }
      await write(join(folder, 'package.json'), { name: options.package, version: '1.2.3', havn })
      await write(join(folder, 'plugin.mjs'), moduleText(options))
    },
    remove: () => rm(root, { recursive: true, force: true }),
  }
}

/** zod is imported by URL: the fixture lies outside the workspace. */
function moduleText(options: PluginFixture): string {
  const id = options.moduleId ?? options.id
  return `
    import { z } from ${JSON.stringify(import.meta.resolve('zod'))}
    ${options.before ?? ''}
    export default {
      id: ${JSON.stringify(id)},
      kind: ${JSON.stringify(id.split('.')[0])},
      apiVersion: ${options.moduleApi ?? options.api ?? 1},
      config: ${options.schema ?? 'z.strictObject({})'},
      setup: ${options.setup ?? '() => ({})'},
    }`
}
