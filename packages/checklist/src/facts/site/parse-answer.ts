/** What a site answered. Names and values of headers are as it sent them. */
export interface SiteAnswer {
  /** `1.1` */
  version: string
  status: number
  reason: string
  headers: readonly (readonly [name: string, value: string])[]
  /** UTF-8; of what came. */
  body: string
  /** Whether there is more of it: it was too large, or did not end in time. */
  isCut: boolean
}

/** An answer as far as it has come; null while its head is not whole. */
export interface PartialAnswer {
  answer: SiteAnswer
  isComplete: boolean
}

const STATUS_LINE = /^HTTP\/(\d\.\d) (\d{3})(?: ([^\r\n]*))?\r?$/

/** Reads what came, leniently: strictness is for servers. @returns 'garbage' for what is no HTTP. */
export function parseAnswer(
  bytes: Buffer,
  { method, isEnded }: { method: string; isEnded: boolean },
): PartialAnswer | 'garbage' | null {
  const text = bytes.toString('latin1')
  const head = /\r?\n\r?\n/.exec(text)
  if (!/^(?:H|HT|HTT|HTTP|HTTP\/.*)?$/s.test(text.slice(0, 64))) return 'garbage'
  if (head === null) return isEnded && text !== '' ? 'garbage' : null

  const [statusLine = '', ...lines] = text.slice(0, head.index).split('\n')
  const status = STATUS_LINE.exec(statusLine)
  if (status === null) return 'garbage'
  const bodyAt = head.index + head[0].length
  const isInterim = status[2]!.startsWith('1') && status[2] !== '101'
  if (isInterim) return parseAnswer(bytes.subarray(bodyAt), { method, isEnded })

  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(':')
    return colon === -1 ? [line.trim(), ''] : [line.slice(0, colon).trim(), line.slice(colon + 1).trim()]
  })
  const raw = bytes.subarray(bodyAt)
  const hasNone = method === 'HEAD' || /^(?:204|304)$/.test(status[2]!)
  const body = hasNone ? { content: Buffer.alloc(0), isComplete: true } : readBody(raw, headers)
  const isComplete = body.isComplete || isEnded
  return {
    isComplete,
    answer: {
      version: status[1]!,
      status: Number(status[2]),
      reason: status[3] ?? '',
      headers,
      body: body.content.toString('utf8'),
      isCut: !isComplete,
    },
  }
}

function readBody(
  raw: Buffer,
  headers: readonly (readonly [string, string])[],
): { content: Buffer; isComplete: boolean } {
  const find = (wanted: string) => headers.find(([name]) => name.toLowerCase() === wanted)?.[1]
  if (/chunked/i.test(find('transfer-encoding') ?? '')) return readChunks(raw)
  const length = find('content-length')
  if (length === undefined || !/^\d{1,15}$/.test(length)) return { content: raw, isComplete: false }
  return { content: raw.subarray(0, Number(length)), isComplete: raw.length >= Number(length) }
}

function readChunks(raw: Buffer): { content: Buffer; isComplete: boolean } {
  const parts: Buffer[] = []
  let at = 0
  for (;;) {
    const end = raw.indexOf('\n', at)
    if (end === -1) return { content: Buffer.concat(parts), isComplete: false }
    const size = Number.parseInt(raw.toString('latin1', at, end), 16)
    // Broken: what came so far is what there is.
    if (!(size > 0)) return { content: Buffer.concat(parts), isComplete: true }
    parts.push(raw.subarray(end + 1, end + 1 + size))
    at = end + 1 + size + 2
    if (at > raw.length) return { content: Buffer.concat(parts), isComplete: false }
  }
}
