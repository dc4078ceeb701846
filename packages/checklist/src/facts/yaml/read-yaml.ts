import type { SourcePlace } from '@havn/plugin-api'
import { parseAllDocuments } from 'yaml'
import type { SourceText } from '../../source/source-text.ts'
import { toYamlNode } from './to-yaml-node.ts'
import type { YamlNode } from './yaml-node.ts'

/** Why a file, or a part of it, is not what its author meant. */
export interface YamlProblem {
  message: string
  place: SourcePlace
}

/** A YAML file, or a JSON file, which is one. */
export interface YamlFile {
  source: SourceText
  /** The documents that could be read, in order; empty ones are left out. */
  documents: readonly YamlNode[]
  /** A document with a problem may be missing from `documents`. In order, and not more than {@link MAX_PROBLEMS}. */
  problems: readonly YamlProblem[]
}

/** What comes behind the first faults of a file is a consequence of them. */
export const MAX_PROBLEMS = 20
const MAX_DOCUMENTS = 5_000
const TOO_DEEP = 'It is nested too deeply to be read.'

/**
 * Reads YAML 1.2 (and the booleans and merge keys of 1.1) with the places of all keys and values. Text that is no YAML,
 * aliases that expand to more than any file holds, and nesting without end become problems: it never throws.
 */
export function readYaml(source: SourceText): YamlFile {
  const problems: YamlProblem[] = []
  const documents: YamlNode[] = []
  const report = (message: string, start: number, end: number = start) => {
    if (problems.length < MAX_PROBLEMS) problems.push({ message, place: source.placeOf(start, end) })
  }

  const binary = source.text.indexOf('\0')
  if (binary !== -1) report('This is no text: it has a zero byte.', binary, binary + 1)
  else {
    const parsed = parse(source, report)
    for (const document of parsed.slice(0, MAX_DOCUMENTS)) {
      const [error] = document.errors
      // The first one is the fault, those behind it mostly follow from it.
      if (error !== undefined) report(sentence(error.message), error.pos[0], error.pos[1])
      else if (document.contents !== null) {
        const node = toYamlNode(document.contents, { source, report })
        if (node !== null && !node.isNull) documents.push(node)
      }
    }
    if (parsed.length > MAX_DOCUMENTS)
      report(`It holds more than ${MAX_DOCUMENTS} documents: those behind are not read.`, source.text.length)
  }
  return { source, documents, problems }
}

function parse(source: SourceText, report: (message: string, start: number) => void) {
  try {
    const parsed = parseAllDocuments(source.text, {
      // Types are the matter of who asks, and the places of duplicates are found in passing: its own search is quadratic.
      schema: 'failsafe',
      uniqueKeys: false,
      prettyErrors: false,
      logLevel: 'silent',
    })
    return Array.isArray(parsed) ? parsed : []
  } catch (error) {
    // The parser calls itself for each level.
    if (!(error instanceof RangeError)) throw error
    report(TOO_DEEP, 0)
    return []
  }
}

function sentence(message: string): string {
  // The composer reports what it runs into as well.
  if (message.startsWith('Maximum call stack')) return TOO_DEEP
  const line = message.split('\n', 1)[0]!.trim()
  return /[.!?]$/.test(line) ? line : `${line}.`
}
