import type { YamlNode } from '../yaml/yaml-node.ts'
import type { ComposeMount } from './compose.ts'
import { readText } from './read-text.ts'

const MODE = /^(?:(?:ro|rw|z|Z|r?shared|r?slave|r?private|delegated|cached|consistent|nocopy|U)(?:,|$))+$/
const WINDOWS = /^[A-Za-z]:[\\/]/

/** `volumes:` of a service. */
export function readMounts(node: YamlNode | null, variables: ReadonlyMap<string, string>): ComposeMount[] {
  return (node?.items() ?? []).flatMap((item) => {
    const mount = item.isMap ? readLong(item, variables) : readShort(readText(item, variables)?.text ?? null)
    return mount === null ? [] : [{ ...mount, place: item.place }]
  })
}

type Mount = Omit<ComposeMount, 'place'>

function readShort(text: string | null): Mount | null {
  if (text === null || text === '') return null
  const parts = splitShort(text)
  const mode = parts.length > 1 && MODE.test(parts.at(-1)!) ? parts.pop()! : ''
  const isReadOnly = mode.split(',').includes('ro')
  const [first, target] = parts as [string, string?]
  if (target === undefined) return { type: 'volume', source: null, target: first, isReadOnly }
  const type = /^[./~\\$]/.test(first) || WINDOWS.test(first) ? 'bind' : 'volume'
  return { type, source: first, target, isReadOnly }
}

/** At colons that are neither a drive's nor within a variable. */
function splitShort(text: string): string[] {
  const parts: string[] = ['']
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!
    if (character === '{') depth++
    else if (character === '}') depth--
    const isDrive = parts.at(-1)!.length === 1 && WINDOWS.test(text.slice(at - 1, at + 2))
    if (character === ':' && depth === 0 && !isDrive) parts.push('')
    else parts[parts.length - 1] += character
  }
  return parts
}

function readLong(item: YamlNode, variables: ReadonlyMap<string, string>): Mount | null {
  const text = (key: string) => {
    const node = item.at(key)
    return (node === null ? null : readText(node, variables)?.text) ?? null
  }
  const target = text('target')
  if (target === null) return null
  const type = text('type')
  return {
    type: type === 'bind' || type === 'volume' || type === 'tmpfs' ? type : 'other',
    source: text('source'),
    target,
    isReadOnly: item.at('read_only')?.boolean === true,
  }
}
