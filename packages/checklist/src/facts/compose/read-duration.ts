const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1e3,
  m: 60e3,
  h: 3600e3,
}
const WHOLE = /^(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+$/
const PART = /(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g

/** A duration of Go (`1m30s`), in milliseconds; null for all else. */
export function readDuration(text: string | null): number | null {
  if (text === null || text.length > 64 || !WHOLE.test(text)) return null
  let sum = 0
  for (const [, amount, unit] of text.matchAll(PART)) sum += Number(amount) * UNITS[unit!]!
  return sum
}
