import type { SourceTree } from '@havn/plugin-api'
import { namedEntries, type PackageJson } from './package-json.ts'
import { readModule, type ModuleSigns } from './read-module.ts'

const usualStems = ['app', 'server', 'index', 'main']
const extensions = ['ts', 'mts', 'js', 'mjs', 'cts', 'cjs']

/** The module that holds the app. */
export interface NodeEntry {
  /** Relative to the root. */
  file: string
  signs: ModuleSigns
  /** True when package.json names the file. */
  isNamed: boolean
}

/**
 * Finds the module to serve: one that exports an app and does not listen by itself comes before one that also
 * listens, and that before one that only listens; among equals, what package.json names, then usual names in the
 * root and in `src`.
 */
export async function findEntry(tree: SourceTree, json: PackageJson | null): Promise<NodeEntry | null> {
  const named = json === null ? [] : namedEntries(json)
  const usual = ['', 'src/'].flatMap((folder) =>
    usualStems.flatMap((stem) => extensions.map((extension) => `${folder}${stem}.${extension}`)),
  )
  const found: NodeEntry[] = []
  for (const file of new Set([...named, ...usual])) {
    const text = await tree.read(file)
    if (text === null) continue
    const signs = readModule(text)
    if (signs.isServer) found.push({ file, signs, isNamed: named.includes(file) })
  }
  const rank = ({ signs }: NodeEntry) =>
    signs.exportLine === null ? (signs.listenLine === null ? 3 : 2) : signs.listenLine === null ? 0 : 1
  const best = found.sort((a, b) => rank(a) - rank(b))[0]
  return best && rank(best) < 3 ? best : null
}
