import type { RequestTarget } from '@havn/http'
import { constraintsOf } from '../config/check-routes.ts'
import type { Route } from '@havn/model'
import { pathMatcher } from './path-matcher.ts'

/** Finds the route of a request. */
export interface Router<Value> {
  /** What the most specific route that matches leads to; null when none does. */
  find(target: RequestTarget): Value | null
}

interface Candidate<Value> {
  value: Value
  matchesPath: (path: string) => boolean
  methods: ReadonlySet<string> | null
  scheme: string | null
  /** Names in lower case; null for any value. */
  headers: readonly (readonly [name: string, value: string | null])[]
}

/**
 * Compiles routes. A request's host picks a list (its own name, then the longest wildcard, then the routes for all
 * hosts), and the first route of it that matches wins: exact paths, then longer ones, then those that ask for more. Where
 * no route of one list matches, the next is asked.
 *
 * @param valueOf what `find` is to return for a route.
 */
export function createRouter<Value>(
  routes: readonly Route[],
  valueOf: (route: Route, at: number) => Value,
): Router<Value> {
  const exactHosts = new Map<string, Candidate<Value>[]>()
  const wildcards = new Map<string, Candidate<Value>[]>()
  const everywhere: Candidate<Value>[] = []
  for (const [at, route] of mostSpecificFirst(routes)) {
    const candidate = compile(route, valueOf(route, at))
    for (const host of route.match.hosts ?? [null]) {
      if (host === null) everywhere.push(candidate)
      else if (host.startsWith('*.')) listOf(wildcards, host.slice(1)).push(candidate)
      else listOf(exactHosts, host).push(candidate)
    }
  }
  // The longest suffix is the most specific.
  const suffixes = [...wildcards].sort(([one], [other]) => other.length - one.length)
  const hasHosts = exactHosts.size > 0 || suffixes.length > 0

  return {
    find(target) {
      if (hasHosts) {
        const host = hostName(target.host)
        const own = pick(exactHosts.get(host), target)
        if (own !== null) return own
        for (const [suffix, candidates] of suffixes) {
          const found = host.length > suffix.length && host.endsWith(suffix) ? pick(candidates, target) : null
          if (found !== null) return found
        }
      }
      return pick(everywhere, target)
    },
  }
}

/** The name of an authority: without its port, in lower case, without the root's dot. */
export function hostName(authority: string): string {
  const end = authority.startsWith('[') ? authority.indexOf(']') + 1 : authority.indexOf(':')
  const name = (end > 0 ? authority.slice(0, end) : authority).toLowerCase()
  return name.endsWith('.') ? name.slice(0, -1) : name
}

/** Routes with their places in the list, in the order in which those of one host are looked at. */
export function mostSpecificFirst(routes: readonly Route[]): [number, Route][] {
  return [...routes.entries()].sort(([, { match: one }], [, { match: other }]) => {
    if (one.exact !== other.exact) return one.exact ? -1 : 1
    return other.path.length - one.path.length || constraintsOf(other) - constraintsOf(one)
  })
}

function compile<Value>({ match }: Route, value: Value): Candidate<Value> {
  return {
    value,
    matchesPath: pathMatcher(match.path, match.exact),
    methods: match.methods === undefined ? null : new Set(match.methods),
    scheme: match.scheme ?? null,
    headers: Object.entries(match.headers ?? {}).map(
      ([name, wanted]) => [name.toLowerCase(), wanted === true ? null : wanted] as const,
    ),
  }
}

function pick<Value>(
  candidates: readonly Candidate<Value>[] | undefined,
  target: RequestTarget,
): Value | null {
  if (candidates === undefined) return null
  for (const candidate of candidates) if (matches(candidate, target)) return candidate.value
  return null
}

function matches<Value>(candidate: Candidate<Value>, target: RequestTarget): boolean {
  if (!candidate.matchesPath(target.path)) return false
  if (candidate.methods !== null && !candidate.methods.has(target.method)) return false
  if (candidate.scheme !== null && candidate.scheme !== target.scheme) return false
  return candidate.headers.every(([name, wanted]) => {
    for (let n = 0; n < target.headers.length; n += 2) {
      if (target.headers[n]!.toLowerCase() !== name) continue
      if (wanted === null || target.headers[n + 1] === wanted) return true
    }
    return false
  })
}

function listOf<Value>(lists: Map<string, Candidate<Value>[]>, key: string): Candidate<Value>[] {
  const known = lists.get(key)
  if (known !== undefined) return known
  const list: Candidate<Value>[] = []
  lists.set(key, list)
  return list
}
