import { formatAddress } from '@havn/model/address'
import { serversOf } from '@havn/model'
import type { Upstream, UpstreamServerConfig } from '@havn/model'
import { block, directive } from './conf/directive.ts'
import type { Directive } from './conf/directive.ts'
import { plainText, script } from './conf/text.ts'

/** Connections that each nginx process keeps open to an upstream while nobody needs them. */
const IDLE_CONNECTIONS = 64
/** Room for a response's head: as much as the edge takes. */
const HEAD_BYTES = 16 * 1024

/** What all locations that pass requests on have in common. */
export interface PassOptions {
  upstreams: readonly Upstream[]
  buffering: boolean
  /** Of the listener. */
  maxBodyBytes: number
}

/** The servers, with pools of connections. They are known by number: a name of theirs may be any text. */
export function upstreamGroups(upstreams: readonly Upstream[]): Directive[] {
  return upstreams.map((upstream, at) =>
    block(
      'upstream',
      [upstreamName(at)],
      [
        ...serversOf(upstream).map(({ address, weight }) =>
          directive('server', formatAddress(address), ...(weight === 1 ? [] : [`weight=${weight}`])),
        ),
        directive('keepalive', IDLE_CONNECTIONS),
        directive('keepalive_timeout', `${upstream.keepAliveMs}ms`),
        directive('keepalive_requests', 100_000),
      ],
    ),
  )
}

/** The locations that pass requests on to one upstream: for whole responses, for streams, and for tunnels. */
export function passTo(
  location: string,
  at: number,
  options: PassOptions & { ownMaxBodyBytes?: number | undefined },
): Directive[] {
  const upstream = options.upstreams[at]!
  const maxBodyBytes = options.ownMaxBodyBytes ?? Math.min(upstream.maxBodyBytes, options.maxBodyBytes)
  const modes = [
    { mode: 'plain', silenceMs: upstream.responseTimeoutMs, buffering: options.buffering },
    {
      mode: 'stream',
      silenceMs: Math.max(upstream.idleTimeoutMs, upstream.responseTimeoutMs),
      buffering: false,
    },
    { mode: 'tunnel', silenceMs: upstream.tunnelIdleTimeoutMs, buffering: false },
  ]
  return modes.map(({ mode, silenceMs, buffering }) =>
    block(
      'location',
      ['=', `${location}/${mode}`],
      [
        directive('internal'),
        directive('client_max_body_size', bodySize(maxBodyBytes)),
        directive('proxy_buffering', buffering ? 'on' : 'off'),
        directive('proxy_connect_timeout', `${upstream.connectTimeoutMs}ms`),
        directive('proxy_send_timeout', `${silenceMs}ms`),
        directive('proxy_read_timeout', `${silenceMs}ms`),
        ...tlsTo(upstream),
        directive(
          'proxy_pass',
          script(`${schemeOf(upstream)}://${upstreamName(at)}$havn_target$is_args$args`),
        ),
      ],
    ),
  )
}

/** How requests are passed on, whoever they go to. */
export function passDirectives(): Directive[] {
  return [
    directive('proxy_http_version', '1.1'),
    directive('proxy_redirect', 'off'),
    directive('proxy_buffer_size', HEAD_BYTES),
    directive('proxy_buffers', 8, HEAD_BYTES),
    // What an upstream says is for the client, and no order to nginx; X-Accel-Buffering alone only changes the pace.
    directive(
      'proxy_ignore_headers',
      ...['X-Accel-Redirect', 'X-Accel-Expires', 'X-Accel-Limit-Rate', 'X-Accel-Charset'],
    ),
  ]
}

/**
 * The one name that nginx asks all servers of a group for, and looks for in their certificates; null where there is
 * none that would do for all of them.
 */
export function tlsNameOf(upstream: Upstream): string | null {
  const { serverName } = upstream.tls ?? {}
  if (serverName !== undefined) return serverName
  const names = new Set(serversOf(upstream).map(hostOf))
  const [name = null] = names
  return names.size === 1 ? name : null
}

function hostOf({ address }: UpstreamServerConfig): string {
  return address.type === 'unix' ? '' : address.host
}

function schemeOf(upstream: Upstream): 'http' | 'https' {
  return serversOf(upstream).some(({ isTls }) => isTls) ? 'https' : 'http'
}

/** Longer than any chain of certificates; nginx's own default takes no intermediate ones. */
const VERIFY_DEPTH = 10

function tlsTo(upstream: Upstream): Directive[] {
  if (schemeOf(upstream) === 'http') return []
  const { ca, cert, key, minVersion = 'TLSv1.2', insecure = false } = upstream.tls ?? {}
  const name = tlsNameOf(upstream)
  return [
    directive('proxy_ssl_protocols', ...(minVersion === 'TLSv1.3' ? ['TLSv1.3'] : ['TLSv1.2', 'TLSv1.3'])),
    directive('proxy_ssl_server_name', 'on'),
    ...(name === null ? [] : [directive('proxy_ssl_name', plainText(name))]),
    directive('proxy_ssl_verify', insecure ? 'off' : 'on'),
    ...(insecure ? [] : [directive('proxy_ssl_verify_depth', VERIFY_DEPTH)]),
    ...(ca === undefined ? [] : [directive('proxy_ssl_trusted_certificate', ca)]),
    ...(cert === undefined ? [] : [directive('proxy_ssl_certificate', plainText(cert))]),
    ...(key === undefined ? [] : [directive('proxy_ssl_certificate_key', plainText(key))]),
  ]
}

/** nginx takes 0 for no limit at all. */
export function bodySize(bytes: number): string {
  return String(Math.max(bytes, 1))
}

function upstreamName(at: number): string {
  return `havn_upstream_${at}`
}
