import type { EdgeConfig, Route, RouteTarget } from '@havn/model'
import { mostSpecificFirst } from '@havn/proxy'
import { block, directive } from './conf/directive.ts'
import type { Directive } from './conf/directive.ts'
import { map, matching } from './conf/map.ts'
import type { MapEntry } from './conf/map.ts'
import { escapeRegex, literal, plainText, script, text, weave } from './conf/text.ts'
import type { Word } from './conf/text.ts'
import type { ReplacedPrefix } from './forward-headers.ts'
import type { RequestPatterns } from './request-pattern.ts'
import { bodySize, passTo } from './upstreams.ts'
import type { PassOptions } from './upstreams.ts'

/** Locations that no request can name: nginx answers 404 to whoever asks for one of them. */
export const INTERNAL = '/.havn'
/** The route of what no route is for. */
const REST = 'app'

/** `$havn_route` names the most specific route that a request matches, as the edge's own router finds it. */
export function routeVariables(routes: readonly Route[], patterns: RequestPatterns): Directive[] {
  const entries = inOrder(routes).map(({ route, at, host }): MapEntry => [
    matching(patterns.toPattern(route.match, host)),
    routeName(at),
  ])
  return [
    map(patterns.source, 'havn_route', entries, REST),
    map(
      text`$havn_upgrade $http_accept`,
      'havn_mode',
      [
        [matching('^websocket '), 'tunnel'],
        [matching(String.raw`\btext/event-stream\b`, { ignoreCase: true }), 'stream'],
      ],
      'plain',
    ),
    map(
      text`$havn_path`,
      'havn_redirect_path',
      [[matching('^/{2,}(?<havn_below>.*)$'), text`/$havn_below`]],
      text`$havn_path`,
    ),
    ...routes.flatMap((route, at) => targetVariables(route, at)),
    map(
      text`$havn_route`,
      'havn_target',
      routes.flatMap(({ rewritePrefix }, at): MapEntry[] =>
        rewritePrefix === undefined ? [] : [[literal(routeName(at)), { source: `$${targetName(at)}` }]],
      ),
      text`$havn_path`,
    ),
  ]
}

/** Prefixes that routes replace, for X-Forwarded-Prefix. */
export function replacedPrefixes(routes: readonly Route[]): ReplacedPrefix[] {
  return routes.flatMap(({ match, rewritePrefix }, at) => {
    const prefix = match.path.endsWith('/') ? match.path.slice(0, -1) : match.path
    return rewritePrefix === undefined || prefix === '' ? [] : [{ route: routeName(at), prefix }]
  })
}

/** Sends a request to its route's own location. */
export function dispatch(): Directive {
  return directive('rewrite', '^', script(`${INTERNAL}/$havn_route/$havn_mode`), 'last')
}

/** Where routes lead. */
export function routeLocations(
  { routes }: EdgeConfig,
  options: { pass: PassOptions; upstreamOf(target: RouteTarget | null): number | null },
): Directive[] {
  const rest = options.upstreamOf(null)
  return [
    ...routes.flatMap(({ to, limits }, at) => {
      const ownMaxBodyBytes = limits?.maxBodyBytes
      const upstream = options.upstreamOf(to)
      const location = `${INTERNAL}/${routeName(at)}`
      if (upstream !== null) return passTo(location, upstream, { ...options.pass, ownMaxBodyBytes })
      return answer(`${location}/`, to, at, ownMaxBodyBytes ?? options.pass.maxBodyBytes)
    }),
    ...(rest === null
      ? [block('location', ['^~', `${INTERNAL}/${REST}/`], [directive('internal'), directive('return', 404)])]
      : passTo(`${INTERNAL}/${REST}`, rest, options.pass)),
  ]
}

/** `return` comes before nginx counts requests; `try_files` comes after, and leads to it. */
function answer(location: string, to: RouteTarget, at: number, maxBodyBytes: number): Directive[] {
  const named = `@havn_${routeName(at)}`
  return [
    block(
      'location',
      ['^~', location],
      [
        directive('internal'),
        directive('client_max_body_size', bodySize(maxBodyBytes)),
        directive('try_files', `${INTERNAL}/none`, named),
      ],
    ),
    block('location', [named], answerDirectives(to)),
  ]
}

function answerDirectives(to: RouteTarget): Directive[] {
  if (to.type === 'redirect') return [directive('return', to.status, expandLocation(to.location))]
  if (to.type !== 'respond') return []
  const hasBody = to.status !== 204 && to.status !== 304
  return [
    block('types', [], []),
    directive('default_type', to.contentType),
    directive('return', to.status, ...(hasBody ? [plainText(to.body)] : [])),
  ]
}

/** A redirect's template, in nginx's variables. */
export function expandLocation(template: string): Word {
  const variables: Readonly<Record<string, string>> = {
    scheme: '$havn_scheme',
    host: '$havn_host',
    // A path may begin with two slashes, which a client would read as an authority.
    path: template.startsWith('{path}') ? '$havn_redirect_path' : '$havn_path',
    query: '$is_args$args',
  }
  const pieces = template.split(/\{(scheme|host|path|query)\}/)
  const own: string[] = ['']
  const given: string[] = []
  pieces.forEach((piece, index) => {
    if (index % 2 === 1) return void (own[own.length - 1] += variables[piece]!)
    given.push(piece)
    own.push('')
  })
  return weave(own, given)
}

/** `$havn_target_N`: the path with a route's prefix replaced, as the edge's own rules have it. */
function targetVariables({ match, rewritePrefix }: Route, at: number): Directive[] {
  if (rewritePrefix === undefined) return []
  const name = targetName(at)
  const rest = `havn_rest_${at}`
  const own = escapeRegex(match.path)
  const replacement = rewritePrefix.replace(/^\/{2,}/, '/')
  const joined = (before: string): Word => weave(['', `$${rest}`], [before])
  if (match.exact) return [map(text`$havn_path`, name, [], plainText(replacement))]
  // Slashes in front become one: more would be read as an authority somewhere.
  if (replacement === '/')
    return [map(text`$havn_path`, name, [[matching(`^${own}/*(?<${rest}>.*)$`), joined('/')]], '/')]
  const direct: MapEntry = [matching(`^${own}(?<${rest}>/.*|)$`), joined(replacement)]
  const below: MapEntry = [
    matching(`^${own}(?<${rest}_below>.*)$`),
    weave(['', `$${rest}_below`], [replacement.endsWith('/') ? replacement : `${replacement}/`]),
  ]
  return [map(text`$havn_path`, name, [direct, below], plainText(replacement))]
}

interface OrderedRoute {
  route: Route
  at: number
  host: string | null
}

/** Routes of one host, then those of the longest wildcard, then those of all hosts; the most specific of each first. */
function inOrder(routes: readonly Route[]): OrderedRoute[] {
  const all = mostSpecificFirst(routes).flatMap(([at, route]) =>
    (route.match.hosts ?? [null]).map((host): OrderedRoute => ({ route, at, host })),
  )
  const own = all.filter(({ host }) => host !== null && !host.startsWith('*.'))
  const wildcards = all
    .filter(({ host }) => host?.startsWith('*.'))
    .sort((one, other) => other.host!.length - one.host!.length)
  return [...own, ...wildcards, ...all.filter(({ host }) => host === null)]
}

function routeName(at: number): string {
  return `route-${at}`
}

function targetName(at: number): string {
  return `havn_target_${at}`
}
