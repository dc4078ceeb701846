import type { SourcePlace } from '@havn/plugin-api'
import type { SourceText } from '../../source/source-text.ts'
import { MappedText } from '../../source/mapped-text.ts'

/** A key of a section. A key may be there many times. */
export interface IniEntry {
  key: string
  /** Lines that go on are joined. */
  value: MappedText
  place: SourcePlace
}

export interface IniSection {
  name: string
  entries: readonly IniEntry[]
}

const MAX_ENTRIES = 10_000

/**
 * Reads files of sections with keys, as systemd, supervisor and uWSGI write them: lines that go on behind a backslash, or
 * indented as Python's configparser has it; a
 * key may stand alone. It never throws: lines that are nothing are left out.
 */
export function readIni(source: SourceText): IniSection[] {
  const sections: { name: string; entries: IniEntry[] }[] = []
  const { text } = source
  let count = 0
  let at = 0
  while (at < text.length && count < MAX_ENTRIES) {
    const start = at
    at = endOfLine(text, at) + 1
    const line = text.slice(start, at).trimEnd()
    const header = /^\s*\[([^\]]+)\]/.exec(line)
    if (header !== null) {
      sections.push({ name: header[1]!.trim(), entries: [] })
      continue
    }
    const match = /^([ \t]*)([A-Za-z_][\w.:-]*)[ \t]*(?:=[ \t]*|$)/.exec(line)
    if (match === null || sections.length === 0) continue
    const valueStart = start + match[0].length
    let end = start + line.length
    while (at < text.length && goesOn(text, end, at)) end = (at = endOfLine(text, at) + 1) - 1
    end = Math.min(end, text.length)
    const value = withoutContinuations(MappedText.of(source, Math.min(valueStart, end), end))
    sections
      .at(-1)!
      .entries.push({ key: match[2]!, value, place: source.placeOf(start + match[1]!.length, end) })
    count++
  }
  return sections
}

/** Entries of all sections with this name, in order. */
export function entriesOf(sections: readonly IniSection[], name: string): IniEntry[] {
  return sections.filter((section) => section.name === name).flatMap(({ entries }) => entries)
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from)
  return end === -1 ? text.length : end
}

function goesOn(text: string, end: number, next: number): boolean {
  if (text[end - 1] === '\\') return true
  const line = text.slice(next, endOfLine(text, next))
  return /^[ \t]+\S/.test(line) && !/^[ \t]*[#;[]/.test(line) && !/^[ \t]+[A-Za-z_][\w.-]*[ \t]*=/.test(line)
}

function withoutContinuations(value: MappedText): MappedText {
  let text = ''
  const offsets: number[] = []
  for (let at = 0; at < value.text.length; at++) {
    const isJoint = value.text[at] === '\\' && /^\\[ \t]*\r?\n/.test(value.text.slice(at, at + 4))
    const character = value.text[at]!
    text += isJoint || character === '\n' || character === '\r' ? ' ' : character
    offsets.push(value.offsetOf(at))
  }
  return new MappedText(value.source, text, [...offsets, value.offsetOf(value.text.length)])
}
