import { dirname } from 'node:path/posix'
import type { SourceText } from '../../source/source-text.ts'
import type { YamlNode } from '../yaml/yaml-node.ts'
import type { ComposeSurroundings } from './compose-surroundings.ts'
import type { ComposeEnvFile, ComposeFile, ComposeVariable } from './compose.ts'
import { interpolate } from './interpolate.ts'
import { readText } from './read-text.ts'
import { resolveInProject } from '../resolve-in-project.ts'

/** `environment:` or `args:`, a map or a list of `NAME=value`. */
export function readEnvironment(
  node: YamlNode | null,
  variables: ReadonlyMap<string, string>,
): ComposeVariable[] {
  if (node === null) return []
  if (node.isMap)
    return [...node.entries()].map(({ key, keyPlace, value }) => {
      const { endLine, endColumn } = value.text === null ? keyPlace : value.place
      const isBehind = endLine > keyPlace.line || (endLine === keyPlace.line && endColumn > keyPlace.column)
      // The value of an alias or a merge key may be written elsewhere.
      const place = isBehind ? { ...keyPlace, endLine, endColumn } : keyPlace
      return { name: key, ...valueOf(value.text, variables), place, envFile: null }
    })
  return node.items().flatMap(({ text, place }) => {
    if (text === null) return []
    const equals = text.indexOf('=')
    const name = equals === -1 ? text : text.slice(0, equals)
    return [
      { name, ...valueOf(equals === -1 ? null : text.slice(equals + 1), variables), place, envFile: null },
    ]
  })
}

function valueOf(raw: string | null, variables: ReadonlyMap<string, string>) {
  if (raw === null) return { value: null, raw }
  const { text, isKnown } = interpolate(raw, variables)
  return { value: isKnown ? text : null, raw }
}

/** `env_file:`, a path, a list of them, or of maps. */
export function readEnvFiles(
  node: YamlNode,
  file: ComposeFile,
  around: ComposeSurroundings,
): ComposeEnvFile[] {
  return (node.at('env_file')?.itemsOrSelf() ?? []).flatMap((item) => {
    const path = item.isMap ? item.at('path') : item
    const text = path === null ? null : readText(path, around.variablesOf(file))
    if (text === null) return []
    const found = text.isKnown ? resolveInProject(dirname(file.source.file), text.text) : null
    return [
      {
        file: found,
        isRequired: item.at('required')?.boolean !== false,
        exists: found !== null && around.envFile(found) !== null,
        place: text.place,
      },
    ]
  })
}

const ASSIGNMENT = /^[ \t]*(?:export[ \t]+)?([A-Za-z_][\w.-]*)[ \t]*=[ \t]*(.*?)[ \t]*$/
const MAX_VARIABLES = 5_000

/** The variables of an env file (`NAME=value`, quoted or not), as far as they stand on lines of their own. */
export function parseEnvFile(source: SourceText): ComposeVariable[] {
  const variables: ComposeVariable[] = []
  const lines = source.text.split('\n', MAX_VARIABLES)
  lines.forEach((line, at) => {
    const match = ASSIGNMENT.exec(line.replace(/\r$/, ''))
    if (match === null) return
    const [, name, rest] = match as unknown as [string, string, string]
    const value = unquote(rest)
    variables.push({ name, value, raw: value, place: source.placeOfLine(at + 1), envFile: source.file })
  })
  return variables
}

function unquote(text: string): string {
  const [quote] = text
  if (quote === '"' || quote === "'") {
    const close = text.indexOf(quote, 1)
    if (close !== -1) return text.slice(1, close)
  }
  return text.replace(/(?:^|\s+)#.*$/, '')
}
