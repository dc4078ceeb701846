import type { GatewayConfig } from '../config/gateway-config.ts'

/** How long a request may run and wait, in milliseconds. */
export interface RequestLimits {
  /** 0 is no deadline. */
  requestMs: number
  queueMs: number
}

interface Route extends RequestLimits {
  path: string
  methods: ReadonlySet<string> | null
}

/** The limits of single routes: the longest path that a request is under wins. */
export class RouteLimits {
  readonly #routes: readonly Route[]
  readonly #usual: RequestLimits

  private constructor(routes: readonly Route[], usual: RequestLimits) {
    this.#routes = routes
    this.#usual = usual
  }

  /** Null where no route has limits of its own: nothing is looked up then. */
  static create({ routes, timeouts }: Pick<GatewayConfig, 'routes' | 'timeouts'>): RouteLimits | null {
    if (routes.length === 0) return null
    const { requestMs, queueMs } = timeouts
    const known = routes.map((route) => ({
      path: route.path,
      methods: route.methods === undefined ? null : new Set(route.methods),
      requestMs: route.requestMs ?? requestMs,
      queueMs: route.queueMs ?? queueMs,
    }))
    // Of two with one path, the one that names methods says more.
    known.sort(
      (a, b) => b.path.length - a.path.length || Number(a.methods === null) - Number(b.methods === null),
    )
    return new RouteLimits(known, { requestMs, queueMs })
  }

  find(method: string, path: string): RequestLimits {
    for (const route of this.#routes) {
      if ((route.methods === null || route.methods.has(method)) && isUnder(path, route.path)) return route
    }
    return this.#usual
  }
}

/** `/reports/` and `/reports` are over `/reports/2024`, not over `/reports-old`. */
function isUnder(path: string, prefix: string): boolean {
  if (!path.startsWith(prefix)) return false
  return prefix.endsWith('/') || path.length === prefix.length || path[prefix.length] === '/'
}

/** True where any request may have a deadline. */
export function hasDeadlines({ routes, timeouts }: Pick<GatewayConfig, 'routes' | 'timeouts'>): boolean {
  return timeouts.requestMs > 0 || routes.some(({ requestMs = 0 }) => requestMs > 0)
}
