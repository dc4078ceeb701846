import { readFile, realpath, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { errors } from './errors.ts'
import { readPluginPackage } from './plugin-metadata.ts'
import type { AvailablePlugin, PluginSource } from './plugin-metadata.ts'

export interface FindPluginsOptions {
  /** The packages that come with the caller, resolved from its own module (`import.meta.url`). */
  bundled?: { from: string; packages: readonly string[] }
  /** The app's folder: the direct dependencies in its package.json are looked at. */
  projectDirectory?: string
  /** Packages named in the config, resolved from the project's folder; a path starts with a dot or slash. */
  packages?: readonly string[]
}

/**
 * Finds plugins by package metadata; loads nothing. Only packages that somebody named are looked at: those
 * in the config, the project's direct dependencies, and the caller's own. Never a transitive dependency.
 *
 * @returns the config's first, then the project's, then the caller's; each package once.
 * @throws HAVN_ERR_PLUGIN_PACKAGE for a package named in the config, or bundled, that is not installed.
 * @throws HAVN_ERR_PLUGIN_METADATA for a package whose `havn` field is not right.
 */
export async function findPlugins(options: FindPluginsOptions): Promise<AvailablePlugin[]> {
  const { bundled, projectDirectory = process.cwd(), packages = [] } = options
  const project = resolve(projectDirectory)
  const wanted: { name: string; from: string; source: PluginSource }[] = [
    ...packages.map((name) => ({ name, from: project, source: 'config' as const })),
    ...(await directDependencies(project)).map((name) => ({
      name,
      from: project,
      source: 'project' as const,
    })),
    ...(bundled?.packages ?? []).map((name) => ({
      name,
      from: dirname(fileURLToPath(bundled!.from)),
      source: 'platform' as const,
    })),
  ]

  const found: AvailablePlugin[] = []
  const seen = new Set<string>()
  for (const { name, from, source } of wanted) {
    const directory = await findPackage(name, from)
    if (directory === null && source === 'project') continue
    if (directory === null) throw errors.HAVN_ERR_PLUGIN_PACKAGE({ name, from })
    if (seen.has(directory)) continue
    seen.add(directory)
    found.push(...(await readPluginPackage(directory, source)))
  }
  return found
}

/** Names only: what is not installed is the package manager's business. */
async function directDependencies(project: string): Promise<string[]> {
  const text = await readFile(join(project, 'package.json'), 'utf8').catch(() => null)
  if (text === null) return []
  try {
    const { dependencies = {}, devDependencies = {} } = JSON.parse(text)
    return Object.keys({ ...dependencies, ...devDependencies })
  } catch {
    return []
  }
}

/**
 * A package's folder, by the lookup that `import` does. The package's `exports` play no part: package.json
 * is often not among them.
 */
async function findPackage(name: string, from: string): Promise<string | null> {
  const isPath = /^\.{0,2}\//.test(name)
  const require = createRequire(join(from, 'package.json'))
  const candidates = isPath
    ? [resolve(from, name)]
    : (require.resolve.paths(name) ?? []).map((folder) => join(folder, name))
  for (const directory of candidates) {
    const isPackage = await stat(join(directory, 'package.json')).then(
      (file) => file.isFile(),
      () => false,
    )
    if (isPackage) return realpath(directory)
  }
  return null
}
