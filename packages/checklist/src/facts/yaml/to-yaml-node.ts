import { isAlias, isMap, isScalar, isSeq } from 'yaml'
import type { Node, Pair, YAMLMap } from 'yaml'
import type { SourceText } from '../../source/source-text.ts'
import { YamlNode, type YamlContent, type YamlEntry } from './yaml-node.ts'

/** Levels of maps and lists. */
const MAX_DEPTH = 100
/** Values that aliases may add to a document: rules walk over each of them. */
const MAX_FROM_ALIASES = 100_000
const MERGE = '<<'

interface Converting {
  source: SourceText
  report(message: string, start: number, end?: number): void
}

/** Makes our nodes of a parsed document; null, and a problem, where its nesting or its aliases know no end. */
export function toYamlNode(contents: unknown, converting: Converting): YamlNode | null {
  try {
    return new Converter(converting).convert(contents as Node, 0).node
  } catch (error) {
    if (!(error instanceof Endless)) throw error
    converting.report(error.message, error.start, error.end)
    return null
  }
}

/** What cannot be read at all, and where. */
class Endless extends Error {
  readonly start: number
  readonly end: number

  constructor(message: string, start: number, end: number) {
    super(message)
    this.start = start
    this.end = end
  }
}

interface Converted {
  node: YamlNode
  /** Values in it, aliases put in. */
  size: number
}

class Converter {
  readonly #source: SourceText
  readonly #report: Converting['report']
  /** By anchor, what it names at this point of the document; null while that is being read. */
  readonly #anchors = new Map<string, Converted | null>()
  /** Values that are written in the document. */
  #written = 0

  constructor({ source, report }: Converting) {
    this.#source = source
    this.#report = report
  }

  convert(node: Node | null, depth: number, at = 0): Converted {
    if (node === null)
      return { node: this.#node(at, at, null, { type: 'scalar', text: '', isPlain: true }), size: 1 }
    const [start, end] = this.#rangeOf(node)
    if (depth > MAX_DEPTH) throw new Endless(`It is nested deeper than ${MAX_DEPTH} levels.`, start, start)
    if (isAlias(node)) return this.#alias(node.source, start, end)

    this.#written++
    const { anchor = null } = node as { anchor?: string }
    if (anchor !== null) this.#anchors.set(anchor, null)
    const { content, size } = this.#contentOf(node, depth)
    const converted = { node: this.#node(start, end, node.tag ?? null, content), size }
    if (anchor !== null) this.#anchors.set(anchor, converted)
    return converted
  }

  #alias(name: string, start: number, end: number): Converted {
    const target = this.#anchors.get(name)
    if (target === undefined) throw new Endless(`No anchor before it is called &${name}.`, start, end)
    if (target === null) throw new Endless(`The alias *${name} holds itself.`, start, end)
    return { node: this.#node(start, end, target.node.tag, target.node.content), size: target.size }
  }

  #contentOf(node: Node, depth: number): { content: YamlContent; size: number } {
    if (isMap(node)) return this.#map(node, depth)
    if (isSeq(node)) {
      let size = 1
      const items = node.items.map((item) => {
        const converted = this.convert(item as Node | null, depth + 1, this.#rangeOf(node)[0])
        size = this.#grow(size, converted)
        return converted.node
      })
      return { content: { type: 'list', items }, size }
    }
    const isPlain = isScalar(node) && node.type === 'PLAIN'
    const text = isScalar(node) ? String(node.value ?? '') : ''
    return { content: { type: 'scalar', text, isPlain }, size: 1 }
  }

  #map(map: YAMLMap, depth: number): { content: YamlContent; size: number } {
    const entries = new Map<string, YamlEntry>()
    const merged: YamlNode[] = []
    let size = 1
    for (const pair of map.items as Pair<Node | null, Node | null>[]) {
      const key = this.convert(pair.key, depth + 1, this.#rangeOf(map)[0])
      const value = this.convert(pair.value, depth + 1, key.node.end)
      size = this.#grow(size, value)
      const name = key.node.content.type === 'scalar' ? key.node.content.text : null
      if (name === null) this.#report('A key is a map or a list.', key.node.start, key.node.end)
      else if (name === MERGE && pair.key !== null && isScalar(pair.key) && pair.key.type === 'PLAIN')
        merged.push(...value.node.itemsOrSelf())
      else if (entries.has(name))
        this.#report(`The key "${name}" is here twice.`, key.node.start, key.node.end)
      else entries.set(name, { key: name, keyPlace: key.node.place, value: value.node, isMerged: false })
    }
    // Own keys win, then those of the first map that is merged.
    for (const from of merged)
      for (const entry of from.entries())
        if (!entries.has(entry.key)) entries.set(entry.key, { ...entry, isMerged: true })
    return { content: { type: 'map', entries }, size }
  }

  /** Sums up at each step: what merge keys bring is copied. */
  #grow(size: number, { node, size: more }: Converted): number {
    if (size + more > this.#written + MAX_FROM_ALIASES)
      throw new Endless(
        `Its aliases add more than ${MAX_FROM_ALIASES.toLocaleString('en')} values to it.`,
        node.start,
        node.end,
      )
    return size + more
  }

  #node(start: number, end: number, tag: string | null, content: YamlContent): YamlNode {
    return new YamlNode({ source: this.#source, start, end, tag }, content)
  }

  /** Without the white space behind blocks. */
  #rangeOf(node: Node): [start: number, end: number] {
    const [start, end] = node.range!
    const { text } = this.#source
    let last = end
    while (last > start && /\s/.test(text[last - 1]!)) last--
    return [start, last]
  }
}
