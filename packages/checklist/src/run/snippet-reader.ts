import type { SourcePlace, SourceTree } from '@havn/plugin-api'
import { SourceText } from '../source/source-text.ts'

/** The lines of a place. */
export interface Snippet {
  firstLine: number
  /** Whole lines; a long place's first ones. */
  lines: readonly string[]
  /** The text of the place alone. */
  covered: string
}

const MAX_LINES = 6
const MAX_LINE_LENGTH = 240

/** Reads what findings point at, each file once. */
export class SnippetReader {
  readonly #tree: SourceTree
  readonly #files = new Map<string, Promise<SourceText | null>>()

  constructor(tree: SourceTree) {
    this.#tree = tree
  }

  /** Null when the file cannot be read. */
  async read(place: SourcePlace): Promise<Snippet | null> {
    let file = this.#files.get(place.file)
    if (file === undefined) this.#files.set(place.file, (file = this.#open(place.file)))
    const source = await file
    if (source === null) return null
    const last = Math.min(Math.max(place.endLine, place.line), place.line + MAX_LINES - 1)
    const lines: string[] = []
    for (let line = place.line; line <= last; line++)
      lines.push(source.lineAt(line).slice(0, MAX_LINE_LENGTH))
    return { firstLine: place.line, lines, covered: source.slice(place) }
  }

  async #open(file: string): Promise<SourceText | null> {
    const text = await this.#tree.read(file)
    return text === null ? null : new SourceText(file, text)
  }
}
