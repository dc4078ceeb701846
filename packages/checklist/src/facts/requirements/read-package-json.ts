import { readYaml } from '../yaml/read-yaml.ts'
import type { SourceText } from '../../source/source-text.ts'
import type { Requirement } from './requirement.ts'

const MAX_REQUIREMENTS = 5_000

/** `dependencies` and `devDependencies` of package.json. */
export function readPackageJson(source: SourceText): Requirement[] {
  const [root] = readYaml(source).documents
  return ['dependencies', 'devDependencies'].flatMap((key) =>
    [...(root?.at(key)?.entries() ?? [])].slice(0, MAX_REQUIREMENTS).map(({ key: name, keyPlace, value }) => {
      const specifier = value.text ?? ''
      const version = /^=?v?(\d+\.\d+\.\d+[\w.+-]*)$/.exec(specifier)?.[1] ?? null
      return {
        language: 'node' as const,
        name,
        version,
        specifier,
        isLocked: false,
        isDevelopment: key === 'devDependencies',
        place: keyPlace,
      }
    }),
  )
}

const ENTRY =
  /^[ \t]*"node_modules\/((?:@[\w.-]+\/)?[\w.-]+)"[ \t]*:[ \t]*\{[ \t]*\r?\n[ \t]*("version"[ \t]*:[ \t]*"([^"\n]+)")((?:[^{}]|\{[^{}]*\})*?)\}/gm

/** The packages at the top of package-lock.json, versions 2 and 3, as npm writes it. */
export function readPackageLock(source: SourceText): Requirement[] {
  const found: Requirement[] = []
  for (const match of source.text.matchAll(ENTRY)) {
    if (found.length === MAX_REQUIREMENTS) break
    const [whole, name, entry, version, rest] = match as unknown as [string, string, string, string, string]
    const start = match.index + whole.indexOf(entry)
    found.push({
      language: 'node',
      name,
      version,
      specifier: version,
      isLocked: true,
      isDevelopment: /"dev"[ \t]*:[ \t]*true/.test(rest),
      place: source.placeOf(start, start + entry.length),
    })
  }
  return found
}
