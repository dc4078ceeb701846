import type { SourcePlace } from '@havn/plugin-api'
import type { SourceText } from '../../source/source-text.ts'

/** A key of a mapping, and its value. */
export interface YamlEntry {
  key: string
  keyPlace: SourcePlace
  value: YamlNode
  /** It comes in by a merge key (`<<`): its places are those where it is written. */
  isMerged: boolean
}

/** What a node holds. Aliases share the content of what they name. */
export type YamlContent =
  | { type: 'scalar'; text: string; isPlain: boolean }
  | { type: 'map'; entries: ReadonlyMap<string, YamlEntry> }
  | { type: 'list'; items: readonly YamlNode[] }

const NULL = /^(?:~|null|Null|NULL|)$/
const TRUE = /^(?:true|yes|on|y)$/i
const FALSE = /^(?:false|no|off|n)$/i
const NUMBER = /^[-+]?(?:\d[\d_]*(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?$/i
const WITHOUT_ENTRIES: ReadonlyMap<string, YamlEntry> = new Map()
const WITHOUT_ITEMS: readonly YamlNode[] = []

/**
 * A value of a YAML file, and where it is written. Its accessors take whatever type the value has: asked for what it is
 * not, they say null or nothing, so that rules need no guards against files that are wrong.
 */
export class YamlNode {
  readonly source: SourceText
  /** In UTF-16 units, without anchor and tag; an alias lies where it is written, not what it names. */
  readonly start: number
  readonly end: number
  /** As it is written (`!reset`); null without one. */
  readonly tag: string | null
  readonly #content: YamlContent

  constructor(
    at: { source: SourceText; start: number; end: number; tag: string | null },
    content: YamlContent,
  ) {
    this.source = at.source
    this.start = at.start
    this.end = at.end
    this.tag = at.tag
    this.#content = content
  }

  get content(): YamlContent {
    return this.#content
  }

  get place(): SourcePlace {
    return this.source.placeOf(this.start, this.end)
  }

  get isMap(): boolean {
    return this.#content.type === 'map'
  }

  get isList(): boolean {
    return this.#content.type === 'list'
  }

  get isScalar(): boolean {
    return this.#content.type === 'scalar'
  }

  /** `key:` without a value, `~` or `null`. */
  get isNull(): boolean {
    const content = this.#content
    return content.type === 'scalar' && content.isPlain && NULL.test(content.text)
  }

  /** Any scalar as text (`8000`, `true`, `0755` as they are written); null for the null value, maps and lists. */
  get text(): string | null {
    return this.#content.type === 'scalar' && !this.isNull ? this.#content.text : null
  }

  /**
   * The words that YAML 1.1 and 1.2 have for both, in quotes or not: what Compose and Kubernetes do not take for a
   * boolean they refuse, so that nothing else can be meant.
   */
  get boolean(): boolean | null {
    const { text } = this
    if (text === null) return null
    return TRUE.test(text) ? true : FALSE.test(text) ? false : null
  }

  /** A number, in quotes or not. */
  get number(): number | null {
    const { text } = this
    return text !== null && NUMBER.test(text) ? Number(text.replaceAll('_', '')) : null
  }

  /** The keys of a mapping, in order, what merge keys bring included. */
  entries(): Iterable<YamlEntry> {
    return this.#entries.values()
  }

  /** The values of a list. */
  items(): readonly YamlNode[] {
    return this.#content.type === 'list' ? this.#content.items : WITHOUT_ITEMS
  }

  /** The items of a list, or this one value: for settings that take both. */
  itemsOrSelf(): readonly YamlNode[] {
    return this.isList ? this.items() : this.isNull ? WITHOUT_ITEMS : [this]
  }

  has(key: string): boolean {
    return this.#entries.has(key)
  }

  /** A key with its value; null where it is not there. */
  entry(key: string): YamlEntry | null {
    return this.#entries.get(key) ?? null
  }

  /** The value below these keys; null where one of them is not there. */
  at(...keys: readonly string[]): YamlNode | null {
    const [first, ...rest] = keys
    if (first === undefined) return this
    const value = this.entry(first)?.value ?? null
    return value === null ? null : value.at(...rest)
  }

  get #entries(): ReadonlyMap<string, YamlEntry> {
    return this.#content.type === 'map' ? this.#content.entries : WITHOUT_ENTRIES
  }
}
