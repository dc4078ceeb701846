import { Writable } from 'node:stream'
import type { Terminal } from '../src/cli/terminal.ts'

/** A terminal that keeps what is written to it, both streams apart and together in order. */
export class RecordedTerminal implements Terminal {
  out = ''
  err = ''
  all = ''
  readonly stdout = sink((text) => {
    this.out += text
    this.all += text
  })
  readonly stderr = sink((text) => {
    this.err += text
    this.all += text
  })
  readonly isInteractive: boolean
  readonly isStderrColored: boolean
  readonly isStdoutTerminal: boolean
  readonly isStdoutColored: boolean

  readonly ask: Terminal['ask']

  /** @param options.answers to what it is asked, in order; without them nobody answers. */
  constructor({
    isTerminal = false,
    isColored = false,
    answers,
  }: { isTerminal?: boolean; isColored?: boolean; answers?: string[] } = {}) {
    const asked = async (question: string) => {
      this.stderr.write(question)
      return answers!.shift() ?? null
    }
    this.ask = answers === undefined ? null : asked
    this.isInteractive = isTerminal
    this.isStdoutTerminal = isTerminal
    this.isStderrColored = isColored
    this.isStdoutColored = isColored
  }
}

function sink(keep: (text: string) => void): Writable {
  return new Writable({
    decodeStrings: false,
    write(chunk: string, _encoding, done) {
      keep(chunk)
      done()
    },
  })
}
