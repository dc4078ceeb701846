import { readFile, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parse as parseToml, TomlError } from 'smol-toml'
import type { PlatformConfig } from '@havn/model'
import { errors } from '../errors.ts'
import { parseConfig } from './parse-config.ts'

/** A validated configuration, and where it came from. */
export interface LoadedConfig {
  config: PlatformConfig
  /** Absolute path of the file; null when there is none and all is default. */
  file: string | null
  /** Folder that relative paths in the config are relative to. */
  directory: string
}

/** Names that are looked for, in no order: two of them at once is an error. */
export const configFileNames = [
  'platform.config.ts',
  'platform.config.mts',
  'platform.config.js',
  'platform.config.mjs',
  'platform.config.toml',
  'platform.config.json',
] as const

/**
 * Finds and reads the config of a folder.
 *
 * @throws HAVN_ERR_CONFIG_NOT_FOUND, _SEVERAL, _SYNTAX, _INVALID
 */
export async function loadConfig(directory: string, explicitFile?: string): Promise<LoadedConfig> {
  const file = explicitFile ? resolve(explicitFile) : await findConfigFile(directory)
  if (file === null) return { config: {}, file: null, directory }
  if (!(await isFile(file))) throw errors.HAVN_ERR_CONFIG_NOT_FOUND({ path: file })
  const raw = await readConfigFile(file)
  return { config: parseConfig(raw, basename(file)), file, directory: dirname(file) }
}

async function findConfigFile(directory: string): Promise<string | null> {
  const found: string[] = []
  for (const name of configFileNames) {
    if (await isFile(join(directory, name))) found.push(name)
  }
  if (found.length > 1) throw errors.HAVN_ERR_CONFIG_SEVERAL({ found })
  return found[0] === undefined ? null : join(directory, found[0])
}

async function readConfigFile(file: string): Promise<unknown> {
  const path = basename(file)
  if (/\.[cm]?[jt]s$/.test(file)) {
    try {
      const module = (await import(moduleUrl(file))) as { default?: unknown }
      return module.default ?? {}
    } catch (error) {
      const detail = error instanceof Error ? error.stack : String(error)
      throw errors.HAVN_ERR_CONFIG_SYNTAX(
        { path, reason: (error as Error).message },
        { cause: error, detail },
      )
    }
  }
  const text = await readFile(file, 'utf8')
  try {
    return file.endsWith('.toml') ? parseToml(text) : JSON.parse(text)
  } catch (error) {
    const reason = error instanceof TomlError ? tomlReason(error) : (error as Error).message
    throw errors.HAVN_ERR_CONFIG_SYNTAX({ path, reason }, { cause: error })
  }
}

/** A module is loaded once a URL: a reload is to see what was changed since. */
function moduleUrl(file: string): string {
  const times = loads.get(file) ?? 0
  loads.set(file, times + 1)
  const { href } = pathToFileURL(file)
  return times === 0 ? href : `${href}?load=${times}`
}

const loads = new Map<string, number>()

function tomlReason(error: TomlError): string {
  const [sentence] = error.message.replace('Invalid TOML document: ', '').split('\n')
  return `${sentence} (line ${error.line}, column ${error.column})`
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  )
}
