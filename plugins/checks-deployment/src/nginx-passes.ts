import { argOf, directivesOf, effectiveDirectives, hasInclude } from '@havn/checklist'
import type { NginxConfig, NginxDirective } from '@havn/checklist'

/** Places where nginx leads requests to an app, in configurations for production. */
export function* passesOf(
  configs: readonly NginxConfig[],
): Generator<{ pass: NginxDirective; config: NginxConfig }> {
  for (const config of configs)
    if (!config.isDevelopment)
      for (const pass of directivesOf(config.directives))
        if (pass.name === 'proxy_pass' && argOf(pass).startsWith('http://')) yield { pass, config }
}

/** `60`, `60s`, `2m`. */
export function secondsOf(text: string): number | null {
  const match = /^(\d+)(ms|s|m|h)?$/.exec(text)
  return match === null
    ? null
    : Number(match[1]) * { ms: 0.001, s: 1, m: 60, h: 3600 }[(match[2] ?? 's') as 'ms' | 's' | 'm' | 'h']
}

/** nginx's own `proxy_read_timeout`. */
const READ_TIMEOUT = 60

/** The longest that nginx waits for an app in any of its locations: one for slow requests is enough; null without any. */
export function longestWait(
  configs: readonly NginxConfig[],
): { seconds: number; place: NginxDirective['place'] } | null {
  const passes = [...passesOf(configs)]
  const seconds = Math.max(...passes.map(({ pass, config }) => readTimeout(pass, config) ?? Infinity))
  // What a file sets that is read in, nobody sees here.
  const first = passes.find(({ pass, config }) => !hasInclude(pass, config))
  if (first === undefined) return null
  const said = effectiveDirectives(first.pass, 'proxy_read_timeout', first.config).at(-1)
  return { seconds, place: (said ?? first.pass).place }
}

function readTimeout(pass: NginxDirective, config: NginxConfig): number | null {
  const said = effectiveDirectives(pass, 'proxy_read_timeout', config).at(-1)
  return said === undefined ? READ_TIMEOUT : secondsOf(argOf(said))
}
