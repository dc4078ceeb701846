import type { SourcePlace } from '@havn/plugin-api'
import type { SourceText } from './source-text.ts'

/** Text that was taken from a file in pieces, such as lines that were joined, and where each of it lies there. */
export class MappedText {
  readonly text: string
  readonly source: SourceText
  /** By position in `text`, the offset in the source; one more at the end. */
  readonly #offsets: readonly number[]

  constructor(source: SourceText, text: string, offsets: readonly number[]) {
    this.source = source
    this.text = text
    this.#offsets = offsets
  }

  /** A stretch of a file as it stands. */
  static of(source: SourceText, start = 0, end: number = source.text.length): MappedText {
    const offsets = Array.from({ length: end - start + 1 }, (_, at) => start + at)
    return new MappedText(source, source.text.slice(start, end), offsets)
  }

  /** The place of a stretch of the text, its end exclusive. */
  placeOf(start: number, end: number): SourcePlace {
    const from = this.offsetOf(start)
    return this.source.placeOf(from, end > start ? this.offsetOf(end - 1) + 1 : from)
  }

  /** Where in the source a position lies. */
  offsetOf(position: number): number {
    return this.#offsets[Math.min(position, this.#offsets.length - 1)]!
  }

  slice(start: number, end: number = this.text.length): MappedText {
    return new MappedText(this.source, this.text.slice(start, end), this.#offsets.slice(start, end + 1))
  }
}
