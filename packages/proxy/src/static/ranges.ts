/** Bytes `start` to `end`, both included. */
export interface ByteRange {
  start: number
  end: number
}

/** More than a client needs for a document of pages; beyond it the whole is cheaper to send. */
const MAX_RANGES = 16

/**
 * Reads a Range header (RFC 9110 §14.2) for a representation of `size` bytes.
 *
 * @returns `all` when it asks for nothing that is better sent in parts (malformed, another unit, too many ranges,
 * or overlapping ones that ask for more than there is), `none` when no range can be satisfied (416).
 */
export function parseRanges(header: string, size: number): ByteRange[] | 'all' | 'none' {
  const match = /^bytes=(.+)$/i.exec(header.trim())
  if (!match) return 'all'
  const specs = match[1]!.split(',').map((spec) => spec.trim())
  if (specs.length > MAX_RANGES) return 'all'

  const ranges: ByteRange[] = []
  let requestedBytes = 0
  for (const spec of specs) {
    const range = parseRange(spec, size)
    if (range === 'malformed') return 'all'
    if (range === null) continue
    requestedBytes += range.end - range.start + 1
    ranges.push(range)
  }
  if (ranges.length === 0) return 'none'
  return requestedBytes > size ? 'all' : ranges
}

function parseRange(spec: string, size: number): ByteRange | null | 'malformed' {
  const match = /^(\d{0,15})-(\d{0,15})$/.exec(spec)
  if (!match || spec === '-') return 'malformed'
  const [, first = '', last = ''] = match
  if (first === '') {
    const length = Math.min(Number(last), size)
    return length === 0 ? null : { start: size - length, end: size - 1 }
  }
  const start = Number(first)
  if (last !== '' && Number(last) < start) return 'malformed'
  if (start >= size) return null
  return { start, end: last === '' ? size - 1 : Math.min(Number(last), size - 1) }
}
