import type { SourceText } from '../../source/source-text.ts'
import { isDevelopmentName } from '../server/is-development.ts'
import type { Requirement } from './requirement.ts'

const LINE = /^[ \t]*([A-Za-z0-9][\w.-]*)[ \t]*(?:\[[^\]\n]*\])?[ \t]*((?:[<>=!~]=?=?[^;#\n\\]*)?)/gm
const MAX_REQUIREMENTS = 5_000

/** A list as pip takes it, line by line: options, URLs and files of their own are none of its packages. */
export function readRequirementsFile(source: SourceText): Requirement[] {
  const found: Requirement[] = []
  for (const match of source.text.matchAll(LINE)) {
    if (found.length === MAX_REQUIREMENTS) break
    const [whole, name, rest] = match as unknown as [string, string, string]
    const end = match.index + whole.trimEnd().length
    // A path or a URL: `./x`, `git+https://…`.
    if (
      /^[:/+@]/.test(source.text.slice(match.index + whole.length)) ||
      /^[+:/]/.test(source.text.slice(end))
    )
      continue
    found.push({
      ...toPythonRequirement(name, rest.trim()),
      isDevelopment: isDevelopmentName(source.file),
      place: source.placeOf(match.index + whole.length - whole.trimStart().length, end),
    })
  }
  return found
}

/** A name with PEP 440's specifiers. */
export function toPythonRequirement(
  name: string,
  specifier: string,
): Omit<Requirement, 'place' | 'isDevelopment'> {
  const version = /^===?[ \t]*([^,*\s]+)$/.exec(specifier)?.[1] ?? null
  return { language: 'python', name: normalName(name), version, specifier, isLocked: version !== null }
}

/** PEP 503. */
export function normalName(name: string): string {
  return name.toLowerCase().replaceAll(/[-_.]+/g, '-')
}
