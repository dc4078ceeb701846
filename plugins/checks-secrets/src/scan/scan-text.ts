import type { SourceText } from '@havn/checklist'
import type { SourcePlace } from '@havn/plugin-api'
import { scanNamedFile, type NamedFileKind } from './named-files.ts'
import { patterns, type SecretPattern } from './patterns.ts'

/** What rules tell apart. */
export type SecretKind = SecretPattern['kind'] | NamedFileKind

/** A secret, by where it is; never what it is. */
export interface SecretHit {
  kind: SecretKind
  /** What it is, for people. */
  name: string
  place: SourcePlace
}

/** More in one file is a file of something else. */
const MAX_HITS = 50

/** Finds what is a secret by the file that it is in, or has the form of one: by the first form that it has. */
export function scanText(source: SourceText): SecretHit[] {
  const { text } = source
  const hits: SecretHit[] = scanNamedFile(source).slice(0, MAX_HITS)
  const taken: [start: number, end: number][] = []
  for (const { kind, name, hints, pattern, isReal } of patterns) {
    if (!hints.some((hint) => text.includes(hint))) continue
    for (const match of text.matchAll(pattern)) {
      if (hits.length >= MAX_HITS) return hits
      if (isReal !== undefined && !isReal(match)) continue
      const value = match.groups?.['value'] ?? match[0]
      const start = match.index + match[0].lastIndexOf(value)
      const end = start + value.length
      if (taken.some(([from, to]) => start < to && end > from)) continue
      taken.push([start, end])
      hits.push({ kind, name, place: source.placeOf(start, end) })
    }
  }
  return hits
}
