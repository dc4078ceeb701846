const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')
const MONTH = MONTHS.join('|')
const TIME = '(\\d\\d):(\\d\\d):(\\d\\d)'
const IMF_FIXDATE = new RegExp(`^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\\d\\d) (${MONTH}) (\\d{4}) ${TIME} GMT$`)
const RFC850 = new RegExp(
  `^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (\\d\\d)-(${MONTH})-(\\d\\d) ${TIME} GMT$`,
)
const ASCTIME = new RegExp(`^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (${MONTH}) ([ \\d]\\d) ${TIME} (\\d{4})$`)

/**
 * Milliseconds since 1970 of an HTTP date in one of its three forms (RFC 9110 §5.6.7), or null. `Date.parse` would read
 * `0` and `-1`, the usual ways to say "expired", as years.
 */
export function parseHttpDate(text: string): number | null {
  const fixed = IMF_FIXDATE.exec(text)
  if (fixed) return toTime(Number(fixed[3]), fixed[2]!, fixed[1]!, fixed.slice(4))
  const old = RFC850.exec(text)
  if (old) return toTime(fullYear(Number(old[3])), old[2]!, old[1]!, old.slice(4))
  const ascii = ASCTIME.exec(text)
  if (ascii) return toTime(Number(ascii[6]), ascii[1]!, ascii[2]!, ascii.slice(3, 6))
  return null
}

function toTime(year: number, month: string, day: string, time: readonly string[]): number | null {
  const [hours, minutes, seconds] = time.map(Number) as [number, number, number]
  if (hours > 23 || minutes > 59 || seconds > 60) return null
  const midnight = Date.UTC(year, MONTHS.indexOf(month), Number(day))
  // The 31st of a month that has 30 days is no date.
  if (new Date(midnight).getUTCDate() !== Number(day)) return null
  return midnight + ((hours * 60 + minutes) * 60 + seconds) * 1000
}

/** RFC 9110 §5.6.7: more than 50 years from now means the past. */
function fullYear(year: number): number {
  const now = new Date().getUTCFullYear()
  const guess = now - (now % 100) + year
  return guess > now + 50 ? guess - 100 : guess
}
