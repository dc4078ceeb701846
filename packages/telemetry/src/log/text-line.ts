const LEVEL_COLORS: Record<string, number> = {
  fatal: 31,
  error: 31,
  warn: 33,
  info: 32,
  debug: 36,
  trace: 90,
}
const GREY = 90
/** Keys that have a place of their own in the line, or tell people nothing. */
const PLACED = new Set(['level', 'time', 'name', 'msg'])
/** Keys of an access line that its text does not repeat, or leaves to machines. */
const ACCESS_PLACED = new Set(
  (
    'event method path status durationMs requestId client bytes worker thread ' +
    'bytesIn host protocol tls userAgent referer server appMs'
  ).split(' '),
)
/** Waits shorter than this are not worth a person's eye. */
const SHORT_QUEUE_MS = 1

interface LogFields extends Record<string, unknown> {
  level: string
  /** RFC 3339, UTC. */
  time: string
  name?: string
  msg?: string
}

/**
 * A JSON log line as people read it: `12:01:02 info  gateway  listening url=http://127.0.0.1:8000/`. Text of
 * several lines, such as a traceback, follows whole and indented. An access line is
 * `12:01:02 GET /polls/ 200 3.4 ms`. The time is local. Control characters are escaped, so that what a client
 * sends cannot drive the reader's terminal.
 */
export function toTextLine(json: string, color: boolean): string {
  const fields = JSON.parse(json) as LogFields
  const paint = color
    ? (code: number, text: string) => `\x1b[${code}m${text}\x1b[0m`
    : (_: number, text: string) => text
  const time = paint(GREY, localTime(fields.time))
  const isAccess = fields['event'] === 'request' && typeof fields['method'] === 'string'
  const head = isAccess ? accessHead(fields, paint) : messageHead(fields, paint)

  let tail = ''
  let below = ''
  for (const [key, value] of Object.entries(fields)) {
    if (PLACED.has(key) || (isAccess && ACCESS_PLACED.has(key))) continue
    if (key === 'queueMs' && Number(value) < SHORT_QUEUE_MS) continue
    if (isError(key, value)) {
      below += errorText(value)
      continue
    }
    const text = typeof value === 'string' ? value : JSON.stringify(value)
    if (text.includes('\n')) below += `  ${key}:\n${indent(text)}`
    else
      tail +=
        ' ' + paint(GREY, `${key}=`) + (typeof value === 'string' ? quoteWords(text) : escapeControls(text))
  }
  return `${time} ${head}${tail}\n${below}`
}

type Paint = (code: number, text: string) => string

function messageHead({ level, name, msg = '' }: LogFields, paint: Paint): string {
  const [first, ...rest] = msg.split('\n')
  const source = name === undefined ? '' : paint(GREY, escapeControls(name)) + '  '
  const more = rest.length === 0 ? '' : '\n' + indent(rest.join('\n')).trimEnd()
  return `${paint(LEVEL_COLORS[level] ?? 0, level.padEnd(5))} ${source}${escapeControls(first!)}${more}`
}

function accessHead(fields: LogFields, paint: Paint): string {
  const status = fields['status']
  const color = typeof status !== 'number' || status >= 500 ? 31 : status >= 400 ? 33 : 32
  const request = escapeControls(`${String(fields['method'])} ${String(fields['path'])}`)
  return `${request} ${paint(color, String(status ?? '-'))} ${Number(fields['durationMs']).toFixed(1)} ms`
}

function isError(key: string, value: unknown): value is Record<string, unknown> {
  return (key === 'err' || key === 'error') && typeof value === 'object' && value !== null
}

function errorText(error: Record<string, unknown>): string {
  const { type, message, code, hint, detail, stack, cause, ...others } = error
  const named = typeof code === 'string' ? ` (${code})` : ''
  let text = typeof stack === 'string' ? indent(stack) : indent(`${String(message ?? type)}${named}`)
  if (typeof stack === 'string' && named !== '') text += indent(`code: ${code as string}`)
  for (const [key, value] of Object.entries(others)) {
    if (key !== 'kind') text += indent(`${key}: ${typeof value === 'string' ? value : JSON.stringify(value)}`)
  }
  if (typeof hint === 'string') text += indent(hint)
  // A HavnError made of a foreign error carries that error's stack as its detail.
  if (typeof detail === 'string' && detail !== stack) text += indent(detail)
  if (typeof cause === 'object' && cause !== null) {
    text += indent('caused by:') + errorText(cause as Record<string, unknown>)
  }
  return text
}

function indent(text: string): string {
  return text
    .trimEnd()
    .split(/\r?\n/)
    .map((line) => `    ${escapeControls(line)}\n`)
    .join('')
}

function quoteWords(text: string): string {
  return /^[^\s"]+$/.test(text) ? escapeControls(text) : JSON.stringify(text)
}

function escapeControls(text: string): string {
  return text.replace(/[\x00-\x08\x0a-\x1f\x7f-\x9f]/g, (char) => {
    return '\\x' + char.charCodeAt(0).toString(16).padStart(2, '0')
  })
}

let second = ''
let clock = ''

/** Lines come many to a second, and a time zone is slow to work out. */
function localTime(time: string): string {
  const seen = time.slice(0, 19)
  if (seen !== second) {
    second = seen
    clock = new Date(time).toTimeString().slice(0, 8)
  }
  return clock
}
