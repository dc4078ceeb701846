import { MappedText } from '../../source/mapped-text.ts'
import type { SourceText } from '../../source/source-text.ts'
import type { DockerFlag, DockerInstruction, Heredoc } from './dockerfile.ts'
import { readExecForm, splitWords } from './words.ts'

const DIRECTIVE = /^#\s*([A-Za-z]+)\s*=\s*(\S.*?)\s*$/
const COMMENT = /^\s*#/
const HEREDOC = /<<(-?)\s*(["']?)([A-Za-z_][A-Za-z0-9_]*)\2/g
const FLAG = /^--([A-Za-z][A-Za-z0-9-]*)(?:=(\S*))?(?:\s+|$)/
/** Instructions whose heredocs Docker reads itself. */
const WITH_HEREDOCS = new Set(['RUN', 'COPY', 'ADD'])
/** Instructions that hold another one. */
const HOLDING = new Set(['ONBUILD', 'HEALTHCHECK'])

/**
 * Reads a Dockerfile's instructions, as BuildKit's parser has them: continuation lines, comments and blank lines between
 * them, the `escape` directive, flags, exec forms, heredocs. It takes whatever there is: what makes no sense to Docker is
 * for rules to say.
 */
export function readInstructions(source: SourceText): DockerInstruction[] {
  const lines = new Lines(source)
  const escape = readEscape(source)
  const instructions: DockerInstruction[] = []
  for (let line = lines.next(); line !== null; line = lines.next()) {
    if (line.text.trim() === '' || COMMENT.test(line.text)) continue
    const joined = joinLines(lines, line, escape)
    if (joined.text.trim() === '') continue
    const heredocs = readHeredocs(lines, joined)
    instructions.push(toInstruction(joined, heredocs))
  }
  return instructions
}

/** Directives stand before all else, comments included. */
function readEscape({ text }: SourceText): '\\' | '`' {
  for (const line of text.split('\n')) {
    const match = DIRECTIVE.exec(line.trim())
    if (match === null) break
    if (match[1]!.toLowerCase() === 'escape' && match[2] === '`') return '`'
  }
  return '\\'
}

interface Line {
  text: string
  start: number
}

/** The lines of a file, one after another, without their ends. */
class Lines {
  readonly source: SourceText
  #at = 0

  constructor(source: SourceText) {
    this.source = source
  }

  next(): Line | null {
    const { text } = this.source
    const start = this.#at
    if (start >= text.length) return null
    const found = text.indexOf('\n', start)
    const end = found === -1 ? text.length : found
    this.#at = end + 1
    return { text: text.slice(start, text[end - 1] === '\r' ? end - 1 : end), start }
  }
}

function joinLines(lines: Lines, first: Line, escape: string): MappedText {
  const continued = escape === '`' ? /`[ \t]*$/ : /\\[ \t]*$/
  let text = ''
  const offsets: number[] = []
  let end = first.start
  for (let line: Line | null = first; line !== null; line = lines.next()) {
    // Comments and blank lines between the lines of an instruction are left out of it.
    if (line !== first && (line.text.trim() === '' || COMMENT.test(line.text))) continue
    const match = continued.exec(line.text)
    const part = match === null ? line.text : line.text.slice(0, match.index)
    for (let at = 0; at < part.length; at++) offsets.push(line.start + at)
    text += part
    end = line.start + part.length
    if (match === null) break
  }
  return new MappedText(lines.source, text, [...offsets, end])
}

function readHeredocs(lines: Lines, { text }: MappedText): Heredoc[] {
  const keyword = /^\s*(\S+)/.exec(text)?.[1]?.toUpperCase() ?? ''
  if (!WITH_HEREDOCS.has(keyword)) return []
  return [...text.matchAll(HEREDOC)].map(([, dash, , name]) => {
    let body = ''
    const offsets: number[] = []
    let end = lines.source.text.length
    for (let line = lines.next(); line !== null; line = lines.next()) {
      end = line.start
      if ((dash === '-' ? line.text.replace(/^\t+/, '') : line.text) === name) break
      for (let at = 0; at <= line.text.length; at++) offsets.push(line.start + at)
      body += line.text + '\n'
    }
    return { name: name!, body: new MappedText(lines.source, body, [...offsets, end]) }
  })
}

function toInstruction(joined: MappedText, heredocs: readonly Heredoc[]): DockerInstruction {
  const [, space, word] = /^(\s*)(\S+)/.exec(joined.text)!
  const keyword = word!.toUpperCase()
  const start = space!.length
  const end = joined.text.trimEnd().length
  const flags: DockerFlag[] = []
  let at = skipSpace(joined.text, start + word!.length)
  for (
    let match = FLAG.exec(joined.text.slice(at));
    match !== null;
    match = FLAG.exec(joined.text.slice(at))
  ) {
    const place = joined.placeOf(at, at + match[0].trimEnd().length)
    flags.push({ name: match[1]!, value: match[2] ?? null, place })
    at += match[0].length
  }
  const rest = joined.slice(Math.min(at, end), end)
  return {
    keyword,
    place: joined.placeOf(start, end),
    rest,
    flags,
    exec: readExecForm(rest.text),
    words: splitWords(rest),
    heredocs,
    inner: HOLDING.has(keyword) && rest.text !== '' ? toInstruction(rest, []) : null,
  }
}

function skipSpace(text: string, from: number): number {
  let at = from
  while (at < text.length && /\s/.test(text[at]!)) at++
  return at
}
