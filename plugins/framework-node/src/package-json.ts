import type { NodeProject } from '@havn/model'
import type { SourceTree } from '@havn/plugin-api'
import { z } from 'zod'

const packageSchema = z.object({
  name: z.string().optional().catch(undefined),
  main: z.string().optional().catch(undefined),
  exports: z.unknown().optional(),
  scripts: z.record(z.string(), z.string()).catch({}).default({}),
  dependencies: z.record(z.string(), z.string()).catch({}).default({}),
  packageManager: z.string().optional().catch(undefined),
})
/** The parts of a package.json that tell what an app is. */
export type PackageJson = z.output<typeof packageSchema>

/** Null when there is none, or when it is not JSON. */
export async function readPackageJson(tree: SourceTree): Promise<PackageJson | null> {
  const text = await tree.read('package.json')
  if (text === null) return null
  try {
    return packageSchema.parse(JSON.parse(text))
  } catch {
    return null
  }
}

const lockFiles = [
  ['package-lock.json', 'npm'],
  ['npm-shrinkwrap.json', 'npm'],
  ['pnpm-lock.yaml', 'pnpm'],
  ['yarn.lock', 'yarn'],
] as const

/** How the app's packages are installed: by the manager whose lock file is there; `none` when it has no dependencies. */
export async function readNodeProject(tree: SourceTree, json: PackageJson | null): Promise<NodeProject> {
  if (json === null || Object.keys(json.dependencies).length === 0) {
    return { language: 'node', manager: 'none', files: json === null ? [] : ['package.json'] }
  }
  const names = new Set(await tree.list())
  const lock = lockFiles.find(([file]) => names.has(file))
  if (lock) return { language: 'node', manager: lock[1], files: ['package.json', lock[0]] }
  const named = /^(npm|pnpm|yarn)@/.exec(json.packageManager ?? '')?.[1] as NodeProject['manager'] | undefined
  return { language: 'node', manager: named ?? 'npm', files: ['package.json'] }
}

/** Files that a package.json names as its entry, the first the most explicit. */
export function namedEntries({ exports, main, scripts }: PackageJson): string[] {
  const start = /(?:^|\s)((?:\.\/)?[\w./-]+\.[cm]?[jt]s)(?=\s|$)/.exec(scripts['start'] ?? '')?.[1]
  const named = [...exportedFiles(exports), main, start]
  return named.flatMap((file) => (file === undefined ? [] : file.replace(/^\.\//, '')))
}

/** `"./app.ts"`, `{ ".": … }`, `{ "import": …, "default": … }`. */
function exportedFiles(exports: unknown): string[] {
  if (typeof exports === 'string') return [exports]
  if (typeof exports !== 'object' || exports === null) return []
  const conditions = exports as Record<string, unknown>
  return ['.', 'node', 'import', 'default', 'require'].flatMap((key) => exportedFiles(conditions[key]))
}
