import type { YamlNode } from '../yaml/yaml-node.ts'
import type { ComposeText } from './compose.ts'
import { interpolate } from './interpolate.ts'

/** A scalar with its variables put in; null for all else. */
export function readText(node: YamlNode, variables: ReadonlyMap<string, string>): ComposeText | null {
  const raw = node.text
  return raw === null ? null : { ...interpolate(raw, variables), raw, place: node.place }
}
