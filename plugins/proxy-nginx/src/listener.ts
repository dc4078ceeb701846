import type { EdgeConfig, Endpoint } from '@havn/model'
import { formatAddress } from '@havn/model/address'
import type { ServerSettings } from '@havn/plugin-api'
import { directive } from './conf/directive.ts'
import type { Directive } from './conf/directive.ts'
import { bodySize } from './upstreams.ts'

/** The defaults of Havn's own listener. */
const DEFAULTS = {
  headersMs: 20_000,
  keepAliveMs: 65_000,
  stallMs: 60_000,
  maxHeaderBytes: 32 * 1024,
  maxBodyBytes: 1024 * 1024 * 1024,
}

/** Largest body of a request. */
export function maxBodyBytes({ limits }: ServerSettings): number {
  return limits.maxBodyBytes ?? DEFAULTS.maxBodyBytes
}

/** Where clients come in. `[::]` takes IPv4 too, as it does for every other server. */
export function listenDirectives(endpoints: readonly Endpoint[]): Directive[] {
  return endpoints.map(({ address, protocol }) => {
    const isDual = address.type === 'tcp' && address.host === '::'
    const options = [...(isDual ? ['ipv6only=off'] : []), ...(protocol === 'https' ? ['ssl'] : [])]
    return directive('listen', formatAddress(address), ...options, 'default_server')
  })
}

/** What clients may send, and how long they may take. */
export function clientLimits(settings: ServerSettings, { routes }: EdgeConfig): Directive[] {
  const { limits, timeouts } = settings
  const headerBytes = limits.maxHeaderBytes ?? DEFAULTS.maxHeaderBytes
  const ofRoutes = routes.map((route) => route.limits?.maxBodyBytes ?? 0)
  const stallMs = timeouts.stallMs || DEFAULTS.stallMs
  return [
    // Looked at before the route is known, whose location has its own.
    directive('client_max_body_size', bodySize(Math.max(maxBodyBytes(settings), ...ofRoutes))),
    directive('client_header_buffer_size', Math.min(headerBytes, 4_096)),
    // One field may take half of the head; what no field needs, the others have.
    directive('large_client_header_buffers', 2, Math.ceil(headerBytes / 2)),
    directive('client_header_timeout', `${DEFAULTS.headersMs}ms`),
    directive('client_body_timeout', `${stallMs}ms`),
    directive('send_timeout', `${stallMs}ms`),
    directive('keepalive_timeout', `${timeouts.keepAliveMs ?? DEFAULTS.keepAliveMs}ms`),
    directive('reset_timedout_connection', 'on'),
    // X_Forwarded_For and X-Forwarded-For are one variable in a WSGI environ.
    directive('underscores_in_headers', 'off'),
    directive('ignore_invalid_headers', 'on'),
  ]
}
