import type { RequestLimits, RequestTarget } from '@havn/http'
import type { EdgeConfig, Route } from '@havn/model'
import type { Router } from '../routes/router.ts'

/** What a request may be and take: by its route, or else as all requests. */
export class RouteLimits {
  readonly #usual: RequestLimits | null
  readonly #router: Router<Route> | null
  readonly #ofRoutes: ReadonlyMap<RouteLimitsConfig, RequestLimits>

  /** @param router that of the configuration's routes; null where it has none. */
  constructor({ limits: { totalMs }, routes }: EdgeConfig, router: Router<Route> | null) {
    const own = routes.flatMap(({ limits }) => (limits === undefined ? [] : [limits]))
    this.#usual = totalMs > 0 ? { totalMs } : null
    this.#ofRoutes = new Map(own.map((limits) => [limits, { totalMs, ...limits }]))
    this.#router = own.length > 0 ? router : null
  }

  /** @param isFile tells whether a folder owns a path: it goes before routes. */
  find(target: RequestTarget, isFile: (path: string) => boolean): RequestLimits | null {
    const route = this.#router?.find(target) ?? null
    if (route?.limits === undefined || isFile(target.path)) return this.#usual
    return this.#ofRoutes.get(route.limits)!
  }
}

type RouteLimitsConfig = NonNullable<Route['limits']>
