import { nearestName } from '@havn/model'
import { errors } from '../errors.ts'
import type { EdgeConfig, Route, RouteMatch } from '@havn/model'

/**
 * Refuses routes that lead nowhere, or of which two claim the same requests with equal right.
 *
 * @throws HAVN_ERR_EDGE_UPSTREAM_UNKNOWN, HAVN_ERR_EDGE_ROUTES_OVERLAP, HAVN_ERR_EDGE_ROUTE
 */
export function checkRoutes({ routes, upstreams }: EdgeConfig): void {
  const names = Object.keys(upstreams)
  routes.forEach((route, at) => {
    const name = nameOf(route, at)
    for (const upstream of upstreamsOf(route)) {
      if (names.includes(upstream)) continue
      throw errors.HAVN_ERR_EDGE_UPSTREAM_UNKNOWN({
        route: name,
        upstream,
        nearest: nearestName(upstream, names),
        names,
      })
    }
    checkSplit(route, name)
    if (route.rewritePrefix !== undefined && upstreamsOf(route).length === 0)
      throw errors.HAVN_ERR_EDGE_ROUTE({
        route: name,
        problem: `rewritePrefix has no meaning for the target "${route.to.type}"`,
      })
    const before = routes.findIndex((other, index) => index < at && competes(other.match, route.match))
    if (before < 0) return
    throw errors.HAVN_ERR_EDGE_ROUTES_OVERLAP({
      one: nameOf(routes[before]!, before),
      other: name,
      match: describeMatch(route.match),
    })
  })
}

/** What a route is called where people read of it: `routes.3`, or `routes.3 (api)`. */
export function nameOf(route: Route, at: number): string {
  return route.id === undefined ? `routes.${at}` : `routes.${at} (${route.id})`
}

function upstreamsOf({ to }: Route): string[] {
  if (to.type === 'split') return to.parts.map(({ upstream }) => upstream)
  return to.type === 'upstream' ? [to.upstream] : []
}

function checkSplit({ to }: Route, route: string): void {
  if (to.type !== 'split') return
  const names = to.parts.map(({ upstream }) => upstream)
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  if (twice !== undefined)
    throw errors.HAVN_ERR_EDGE_ROUTE({ route, problem: `"${twice}" is in its parts twice` })
  if (to.parts.every(({ weight }) => weight === 0))
    throw errors.HAVN_ERR_EDGE_ROUTE({ route, problem: 'all of its parts have the weight 0' })
}

/** True when some request is for both, and nothing makes one of them more specific. */
export function competes(one: RouteMatch, other: RouteMatch): boolean {
  if (one.path !== other.path || one.exact !== other.exact) return false
  if (!shareOne(one.hosts, other.hosts, true) || !shareOne(one.methods, other.methods)) return false
  if (one.scheme !== undefined && other.scheme !== undefined && one.scheme !== other.scheme) return false
  const theirs = lowerCased(other.headers)
  const isDisjoint = Object.entries(lowerCased(one.headers)).some(
    ([name, value]) =>
      typeof value === 'string' && typeof theirs[name] === 'string' && theirs[name] !== value,
  )
  return !isDisjoint && constraintsOf(one) === constraintsOf(other)
}

/** How much a route asks for beyond host and path: the one that asks for more comes first. */
export function constraintsOf({ headers, methods, scheme }: RouteMatch): number {
  return Object.keys(headers ?? {}).length + (methods ? 1 : 0) + (scheme ? 1 : 0)
}

function shareOne(
  one: readonly string[] | undefined,
  other: readonly string[] | undefined,
  isExclusive = false,
): boolean {
  // For hosts a route that names one is more specific than one for all.
  if (one === undefined || other === undefined) return one === other || !isExclusive
  return one.some((item) => other.includes(item))
}

function lowerCased(headers: RouteMatch['headers']): Record<string, string | true> {
  return Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]))
}

/** What a match is for, as people read it. */
export function describeMatch({ hosts, path, exact }: RouteMatch): string {
  return `${hosts?.join(', ') ?? 'all hosts'}, ${exact ? 'exactly ' : ''}${path}`
}
