import type { PluginLogger } from '@havn/plugin-api'
import type { GatewayConfig } from '../config/gateway-config.ts'
import type { Counters } from '../dispatch/counters.ts'
import type { Dispatcher } from '../dispatch/dispatcher.ts'
import type { HostConnection } from './host-connection.ts'
import type { OverloadNotice } from './overload-notice.ts'
import type { RouteLimits } from './route-limits.ts'

/** What all requests of one Python host share. */
export interface StreamContext {
  readonly interface: 'wsgi' | 'asgi'
  readonly dispatcher: Dispatcher<HostConnection>
  readonly counters: Counters
  readonly logger: PluginLogger
  readonly overload: OverloadNotice
  readonly limits: GatewayConfig['limits']
  readonly timeouts: GatewayConfig['timeouts']
  /** Limits of single routes; null where there are none. */
  readonly routes: RouteLimits | null
  /** `performance.now()` of this thread as CLOCK_MONOTONIC was 0: the clock of hosts. */
  readonly clockOriginMs: number
  /** A new path for a request's body. */
  spoolPath(): string
  /** True while the gateway stops: connections end with their answer. */
  readonly draining: boolean
  /** A request is over, its client gone or answered. */
  onSettled(): void
}
