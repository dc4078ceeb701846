/** A coding that a file may lie beside the original in, best first: `app.js.br`. */
export const CODINGS = [
  { name: 'br', suffix: '.br' },
  { name: 'zstd', suffix: '.zst' },
  { name: 'gzip', suffix: '.gz' },
] as const
export type Coding = (typeof CODINGS)[number]

/**
 * The codings that an Accept-Encoding header asks for at least as much as the original (RFC 9110 §12.5.3), the
 * most wanted first; among equals the smallest result first.
 */
export function acceptedCodings(header: string | undefined): Coding[] {
  if (!header) return []
  const weights = parseWeights(header)
  const weightOf = (name: string) => weights.get(name) ?? weights.get('*') ?? 0
  const original = weights.get('identity') ?? 0
  return CODINGS.filter(({ name }) => weightOf(name) > 0 && weightOf(name) >= original).sort(
    (one, other) => weightOf(other.name) - weightOf(one.name),
  )
}

/** Headers that were read lately: browsers send the same few. */
const MAX_REMEMBERED = 256
const remembered = new Map<string, string>()

/** The same as one word, such as `br,gzip`. */
export function codingsKey(header: string): string {
  const before = remembered.get(header)
  if (before !== undefined) return before
  const key = acceptedCodings(header)
    .map(({ name }) => name)
    .join(',')
  if (remembered.size >= MAX_REMEMBERED) remembered.clear()
  remembered.set(header, key)
  return key
}

function parseWeights(header: string): Map<string, number> {
  const weights = new Map<string, number>()
  for (const part of header.toLowerCase().split(',')) {
    const [name = '', ...parameters] = part.split(';').map((piece) => piece.trim())
    const q = parameters.find((parameter) => parameter.startsWith('q='))
    const weight = q === undefined ? 1 : Number(q.slice(2))
    if (name !== '' && weight >= 0 && weight <= 1) weights.set(name === 'x-gzip' ? 'gzip' : name, weight)
  }
  return weights
}
