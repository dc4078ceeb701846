import type { PythonProject } from '@havn/model'
import { parse } from 'smol-toml'
import { toVersionSpecifier } from './poetry-constraint.ts'
import type { SourceTree } from './source-tree.ts'

/** Where projects keep their requirements, the most usual first. Those for production come before those for all. */
const requirementFiles = [
  'requirements.txt',
  'requirements/production.txt',
  'requirements/prod.txt',
  'requirements/base.txt',
  'requirements/main.txt',
  'requirements/requirements.txt',
]

/**
 * Reads how a Python project's environment is made: a lock file first, then requirements, then what pyproject.toml
 * names (PEP 621, or Poetry's own table). Runs nothing.
 *
 * @param directory the project's folder in the tree; `files` stay relative to the tree's root.
 */
export async function readPythonProject(tree: SourceTree, directory = '.'): Promise<PythonProject> {
  const at = (name: string) => (directory === '.' ? name : `${directory}/${name}`)
  const text = await tree.read(at('pyproject.toml'))
  const pyproject = text === null ? null : parsePyproject(text)
  const requiresPython = readRequiresPython(pyproject)
  const project = (manager: PythonProject['manager'], files: string[]): PythonProject => ({
    language: 'python',
    manager,
    files: files.map(at),
    ...(requiresPython && { requiresPython }),
  })

  const names = new Set(await tree.list(directory))
  if (names.has('uv.lock')) return project('uv', ['pyproject.toml', 'uv.lock'])
  if (names.has('poetry.lock')) return project('poetry', ['pyproject.toml', 'poetry.lock'])
  for (const file of requirementFiles) {
    if ((await tree.read(at(file))) !== null) return project('pip', [file])
  }
  if (pyproject?.project && (pyproject.project.dependencies || pyproject.project.dynamic)) {
    return project('pip', ['pyproject.toml'])
  }
  if (pyproject?.tool?.poetry?.dependencies) return project('poetry', ['pyproject.toml'])
  if (names.has('setup.py')) return project('pip', ['setup.py'])
  return project('none', [])
}

/** The parts of pyproject.toml that say what is installed. */
export interface Pyproject {
  project?: {
    name?: string
    dependencies?: string[]
    dynamic?: string[]
    'requires-python'?: string
  }
  tool?: {
    poetry?: { name?: string; dependencies?: Record<string, unknown> }
    uv?: { sources?: Record<string, unknown> }
  }
}

/** Reads pyproject.toml; null when it is not TOML. */
export function parsePyproject(text: string): Pyproject | null {
  try {
    return parse(text) as Pyproject
  } catch {
    return null
  }
}

function readRequiresPython(pyproject: Pyproject | null): string | undefined {
  const declared = pyproject?.project?.['requires-python']
  if (typeof declared === 'string') return declared
  const poetry = pyproject?.tool?.poetry?.dependencies?.['python']
  return typeof poetry === 'string' ? (toVersionSpecifier(poetry) ?? undefined) : undefined
}
