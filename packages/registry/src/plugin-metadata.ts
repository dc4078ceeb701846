import { readFile } from 'node:fs/promises'
import { isAbsolute, join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { pluginApiVersions } from '@havn/plugin-api'
import type { PluginKind } from '@havn/plugin-api'
import { z } from 'zod'
import { errors } from './errors.ts'

const kinds = Object.keys(pluginApiVersions) as [PluginKind, ...PluginKind[]]

/** One plugin in the `havn` field of a package.json. */
const metadataSchema = z
  .object({
    id: z.string().regex(/^[a-z]+(\.[a-z0-9-]+)+$/, 'an id is "kind.name" in small letters'),
    kind: z.enum(kinds),
    api: z.int().positive(),
    entry: z.string().startsWith('./', 'a path within the package, starting with "./"'),
    configSchema: z.record(z.string(), z.json()).optional(),
  })
  .refine(({ id, kind }) => id.startsWith(`${kind}.`), 'the id starts with the kind and a dot')

const packageSchema = z.object({
  name: z.string(),
  version: z.string().default('0.0.0'),
  havn: z.object({ plugins: z.array(metadataSchema) }).optional(),
})

/** Where a plugin was found: in this order they are asked, and a user's own come first. */
export type PluginSource = 'config' | 'project' | 'platform'

/** A plugin that could be loaded, as its package's metadata describes it. */
export interface AvailablePlugin {
  id: string
  kind: PluginKind
  /** The version of the kind's contract that it is written for. */
  api: number
  /** URL of the module whose default export is the plugin. */
  entry: string
  /** JSON Schema of its configuration. */
  configSchema?: Readonly<Record<string, unknown>>
  package: string
  version: string
  source: PluginSource
}

/**
 * Reads what plugins a package brings, from its package.json alone: none of its code runs.
 *
 * @param directory the package's own folder, absolute.
 * @returns an empty list when it brings none.
 * @throws HAVN_ERR_PLUGIN_METADATA when its `havn` field is not right.
 */
export async function readPluginPackage(directory: string, source: PluginSource): Promise<AvailablePlugin[]> {
  const file = join(directory, 'package.json')
  const text = await readFile(file, 'utf8')
  const content = packageSchema.safeParse(parseJson(text, file))
  if (!content.success) throw notRight(file, content.error.issues[0]!)
  const { name, version, havn } = content.data
  return (havn?.plugins ?? []).map(({ id, kind, api, entry, configSchema }) => {
    const path = join(directory, entry)
    const away = relative(directory, path)
    if (away.startsWith('..') || isAbsolute(away)) {
      throw errors.HAVN_ERR_PLUGIN_METADATA({ file, problem: `the entry of ${id} lies outside the package.` })
    }
    return { id, kind, api, entry: pathToFileURL(path).href, configSchema, package: name, version, source }
  })
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw errors.HAVN_ERR_PLUGIN_METADATA({ file, problem: `it is not JSON (${(error as Error).message}).` })
  }
}

function notRight(file: string, issue: { path: PropertyKey[]; message: string }): Error {
  return errors.HAVN_ERR_PLUGIN_METADATA({ file, problem: `${issue.path.join('.')}: ${issue.message}.` })
}
