import type { SourcePlace } from '@havn/plugin-api'

/** A text file, and where its offsets lie. */
export class SourceText {
  /** Relative to the tree's root, with slashes. */
  readonly file: string
  readonly text: string
  #lineStarts: readonly number[] | null = null

  constructor(file: string, text: string) {
    this.file = file
    this.text = text
  }

  /** Offsets in UTF-16 units, the end exclusive; what lies outside the text is taken for its nearest end. */
  placeOf(start: number, end: number = start): SourcePlace {
    const from = this.#positionOf(start)
    const to = this.#positionOf(Math.max(start, end))
    return {
      file: this.file,
      line: from.line,
      column: from.column,
      endLine: to.line,
      endColumn: to.column,
    }
  }

  /** The place of a whole line, without the white space around it; `line` counts from 1. */
  placeOfLine(line: number): SourcePlace {
    const text = this.lineAt(line)
    const start = (this.#starts()[line - 1] ?? this.text.length) + text.length - text.trimStart().length
    return this.placeOf(start, start + text.trim().length)
  }

  /** A line without its end, counted from 1; empty beyond the last one. */
  lineAt(line: number): string {
    const starts = this.#starts()
    const start = starts[line - 1]
    if (start === undefined) return ''
    return this.text.slice(start, starts[line] ?? this.text.length).replace(/\r?\n$/, '')
  }

  /** The text that a place covers. */
  slice(place: SourcePlace): string {
    return this.text.slice(...this.offsetsOf(place))
  }

  /** Where a place begins and ends, as an edit has it. */
  offsetsOf({ line, column, endLine, endColumn }: SourcePlace): [start: number, end: number] {
    return [this.#offsetOf(line, column), this.#offsetOf(endLine, endColumn)]
  }

  #offsetOf(line: number, column: number): number {
    return (this.#starts()[line - 1] ?? this.text.length) + column - 1
  }

  #positionOf(offset: number): { line: number; column: number } {
    const at = Math.min(Math.max(offset, 0), this.text.length)
    const starts = this.#starts()
    let low = 0
    let high = starts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (starts[middle]! <= at) low = middle
      else high = middle - 1
    }
    return { line: low + 1, column: at - starts[low]! + 1 }
  }

  #starts(): readonly number[] {
    if (this.#lineStarts === null) {
      const starts = [0]
      for (let at = this.text.indexOf('\n'); at !== -1; at = this.text.indexOf('\n', at + 1))
        starts.push(at + 1)
      this.#lineStarts = starts
    }
    return this.#lineStarts
  }
}
