import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { PythonProject } from '@havn/model'
import { parsePyproject, toVersionSpecifier } from '@havn/plugin-api'

/** A requirement of PEP 508, as far as it can be checked without installing. */
export interface NamedRequirement {
  name: string
  /** Version specifier, empty for any. */
  specifier: string
}

/** Reads `name[extra] >= 1`; null for URLs, paths, options, and for what depends on a marker. */
export function parseRequirement(text: string): NamedRequirement | null {
  const match = /^\s*([A-Za-z0-9][\w.-]*)\s*(?:\[[^\]]*\])?\s*\(?((?:[<>=!~][^;@#)]*)?)\)?\s*(?:#.*)?$/.exec(
    text,
  )
  return match ? { name: match[1] ?? '', specifier: (match[2] ?? '').trim() } : null
}

/** The plain requirements that a project's own file names; those it includes from elsewhere are left out. */
export async function readRequirements(root: string, project: PythonProject): Promise<NamedRequirement[]> {
  const [file] = project.files
  const text = file === undefined ? null : await readFile(join(root, file), 'utf8').catch(() => null)
  if (file === undefined || text === null) return []
  if (file.endsWith('.txt')) return text.split('\n').flatMap((line) => parseRequirement(line) ?? [])
  if (!file.endsWith('.toml')) return []
  const pyproject = parsePyproject(text)
  const poetry = Object.entries(pyproject?.tool?.poetry?.dependencies ?? {})
  return [
    ...(pyproject?.project?.dependencies ?? []).flatMap((line) => parseRequirement(line) ?? []),
    ...poetry.flatMap(([name, constraint]) =>
      name === 'python' || typeof constraint !== 'string'
        ? []
        : { name, specifier: toVersionSpecifier(constraint) ?? '' },
    ),
  ]
}
