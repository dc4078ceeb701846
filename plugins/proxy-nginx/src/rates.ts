import type { Rate } from '@havn/model'
import { directive } from './conf/directive.ts'
import type { Directive } from './conf/directive.ts'
import { map, matching } from './conf/map.ts'
import { literal, script, text } from './conf/text.ts'
import type { Word } from './conf/text.ts'
import { headerVariable } from './forward-headers.ts'
import type { RequestPatterns } from './request-pattern.ts'

/** Room for 65,536 clients or keys, for each rate. */
const ZONE = '8m'
/** A rate that nginx cannot say exactly may be this much stricter. */
const TOLERANCE = 0.05

/** A rate as nginx counts it: whole requests a second or a minute. Null where it would be too far from what was asked. */
export function toNginxRate({ requests, perMs }: Pick<Rate, 'requests' | 'perMs'>): string | null {
  const perS = (requests * 1_000) / perMs
  if (Number.isInteger(perS)) return `${perS}r/s`
  const perMinute = Math.floor((requests * 60_000) / perMs)
  const isNear = perMinute >= (1 - TOLERANCE) * perS * 60
  return perMinute >= 1 && isNear ? `${perMinute}r/m` : null
}

/** `$havn_rate_N` is a request's bucket, empty where the rate is not for it; and the buckets of all rates. */
export function rateVariables(rates: readonly Rate[], patterns: RequestPatterns): Directive[] {
  if (rates.length === 0) return []
  return [
    ...rates.flatMap((rate, at) => [
      ...keyVariable(rate, at),
      map(
        patterns.source,
        `havn_rate_${at}`,
        hostsOf(rate).map(
          (host) => [matching(patterns.toPattern(rate.match, host)), keyOf(rate, at)] as const,
        ),
        literal(''),
      ),
      directive(
        'limit_req_zone',
        { source: `$havn_rate_${at}` },
        `zone=havn_rate_${at}:${ZONE}`,
        `rate=${toNginxRate(rate) ?? '1r/s'}`,
      ),
    ]),
  ]
}

/** Holds every request to its rates; nginx counts the first of a burst apart. */
export function rateLimits(rates: readonly Rate[]): Directive[] {
  if (rates.length === 0) return []
  return [
    ...rates.map(({ requests, burst = requests }, at) =>
      directive('limit_req', `zone=havn_rate_${at}`, ...(burst > 1 ? [`burst=${burst - 1}`] : []), 'nodelay'),
    ),
    directive('limit_req_status', 429),
    directive('limit_req_log_level', 'warn'),
  ]
}

/** Seconds after which each client may come again, whichever of the rates refused it. */
export function retryAfterS(rates: readonly Rate[]): number {
  return Math.max(1, ...rates.map(({ requests, perMs }) => Math.ceil(perMs / requests / 1_000)))
}

function hostsOf({ match }: Rate): readonly (string | null)[] {
  return match.hosts ?? [null]
}

/** Requests without the header count by client; the letter in front keeps the two apart. */
function keyVariable({ key }: Rate, at: number): Directive[] {
  if (key === 'client') return []
  const variable = headerVariable(key.header)
  return [
    map(
      { source: `$${variable}` },
      `havn_key_${at}`,
      [[literal(''), text`c$havn_client`]],
      script(`h$${variable}`),
    ),
  ]
}

function keyOf({ key }: Rate, at: number): Word {
  return key === 'client' ? text`$havn_client` : { source: `$havn_key_${at}` }
}
