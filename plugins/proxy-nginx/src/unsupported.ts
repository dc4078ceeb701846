import { isIP } from 'node:net'
import { isDeepStrictEqual } from 'node:util'
import { edgeConfigSchema, serversOf, upstreamSchema } from '@havn/model'
import type { EdgeConfig, RouteLimits, RouteMatch, Upstream } from '@havn/model'
import type { ServerSettings, UnsupportedSetting } from '@havn/plugin-api'
import { isWritable } from './conf/text.ts'
import { isReadableHeader } from './forward-headers.ts'
import { toNginxRate } from './rates.ts'
import { tlsNameOf } from './upstreams.ts'

/** The parts of the edge's configuration that this plugin knows. Whatever comes to be beside them is told, not dropped. */
const KNOWN_PARTS = new Set([
  ...['staticFiles', 'fileCache', 'upstreams', 'routes', 'upstream', 'limits', 'maintenance', 'compression'],
  'security',
])
const KNOWN_LIMITS = new Set(['rates', 'connectionsPerClient', 'totalMs'])
const KNOWN_UPSTREAM = new Set([
  ...['address', 'servers', 'connectTimeoutMs', 'responseTimeoutMs', 'idleTimeoutMs', 'tunnelIdleTimeoutMs'],
  ...['keepAliveMs', 'maxConnections', 'maxBodyBytes', 'tls', 'protocol', 'pingMs'],
])

const EDGE = edgeConfigSchema.parse({})
const UPSTREAM = upstreamSchema.parse({ address: { type: 'unix', path: '/' } })

/** What the settings ask for that this nginx will not do, or not so. Pure. */
export function findUnsupported(settings: ServerSettings, edge: EdgeConfig): UnsupportedSetting[] {
  return [
    ...unknownKeys('edge', edge, EDGE, KNOWN_PARTS),
    ...unknownKeys('edge.limits', edge.limits, EDGE.limits, KNOWN_LIMITS),
    ...ofRoutes(edge),
    ...ofRates(edge),
    ...ofConnections(edge),
    ...ofTotalTime(edge),
    ...ofUpstreams(edge),
    ...ofCompression(edge),
    ...ofListener(settings),
  ]
}

/** Keys that say something, and that nobody here reads. */
function unknownKeys(
  path: string,
  values: object,
  defaults: object,
  known: ReadonlySet<string>,
): UnsupportedSetting[] {
  return Object.entries(values)
    .filter(([key, value]) => !known.has(key) && value !== undefined)
    .filter(([key, value]) => !isDeepStrictEqual(value, (defaults as Record<string, unknown>)[key]))
    .map(([key]) => refuse(`${path}.${key}`, 'the nginx plugin has no translation for it', 'leave it out'))
}

function ofRoutes({ routes }: EdgeConfig): UnsupportedSetting[] {
  return routes.flatMap(({ match, to, limits }, at) => [
    ...ofRouteLimits(`edge.routes.${at}.limits`, limits),
    ...ofHeaders(`edge.routes.${at}.match.headers`, match),
    ...(to.type === 'split'
      ? [
          refuse(
            `edge.routes.${at}.to`,
            'the nginx plugin has no translation for a split',
            'lead to one upstream',
          ),
        ]
      : []),
    ...(to.type === 'respond' && !isWritable(to.body)
      ? [
          refuse(
            `edge.routes.${at}.to.body`,
            'nginx reads no text above 4,000 bytes, and none with NUL in it',
            'serve the text as a static file',
          ),
        ]
      : []),
  ])
}

/** A limit that is lower than asked for in the whole of nginx, or not there at all. */
function ofRouteLimits(path: string, limits: RouteLimits = {}): UnsupportedSetting[] {
  return [
    ...(limits.maxTargetBytes === undefined
      ? []
      : [
          refuse(
            `${path}.maxTargetBytes`,
            'nginx measures the request line before it knows the route',
            'set limits.maxHeaderBytes for all requests',
          ),
        ]),
    ...(limits.totalMs ? [noTotalTime(`${path}.totalMs`)] : []),
  ]
}

function ofTotalTime({ limits }: EdgeConfig): UnsupportedSetting[] {
  return limits.totalMs > 0 ? [noTotalTime('edge.limits.totalMs')] : []
}

function noTotalTime(path: string): UnsupportedSetting {
  return refuse(
    path,
    'nginx has limits for silence, and none for the whole of a request',
    'take the built-in proxy, or timeouts.requestMs of the gateway',
  )
}

function ofRates({ limits }: EdgeConfig): UnsupportedSetting[] {
  return limits.rates.flatMap((rate, at) => [
    ...ofHeaders(`edge.limits.rates.${at}.match.headers`, rate.match),
    ...(rate.key === 'client' || isReadableHeader(rate.key.header)
      ? []
      : [unreadable(`edge.limits.rates.${at}.key.header`, rate.key.header)]),
    ...(toNginxRate(rate) === null
      ? [
          refuse(
            `edge.limits.rates.${at}.requests`,
            `nginx counts whole requests a second or a minute, and ${rate.requests} in ${rate.perMs} ms are neither`,
            'write a rate of whole requests with perMs 1000 or 60000',
          ),
        ]
      : []),
  ])
}

function ofConnections({ limits }: EdgeConfig): UnsupportedSetting[] {
  if (limits.connectionsPerClient === undefined) return []
  return [
    warn(
      'edge.limits.connectionsPerClient',
      'nginx counts the connections of a client that have a request, and answers those beyond with 429',
      'take the built-in proxy where clients hold connections idle',
    ),
  ]
}

function ofHeaders(path: string, { headers = {} }: RouteMatch): UnsupportedSetting[] {
  return Object.keys(headers)
    .filter((name) => !isReadableHeader(name))
    .map((name) => unreadable(path, name))
}

function unreadable(path: string, name: string): UnsupportedSetting {
  return refuse(path, `nginx cannot look at the header ${name}`, 'take a name of letters, digits and hyphens')
}

function ofUpstreams({ upstreams, upstream }: EdgeConfig): UnsupportedSetting[] {
  return [
    ...Object.entries(upstreams).flatMap(([name, value]) => ofUpstream(`edge.upstreams.${name}`, value)),
    ...(upstream === undefined ? [] : ofUpstream('edge.upstream', upstream)),
  ]
}

function ofUpstream(path: string, upstream: Upstream): UnsupportedSetting[] {
  const changed = (key: keyof Upstream) => !isDeepStrictEqual(upstream[key], UPSTREAM[key])
  return [
    ...unknownKeys(path, upstream, UPSTREAM, KNOWN_UPSTREAM),
    ...ofUpstreamTls(path, upstream),
    ...ofProtocol(path, upstream),
    ...((upstream.servers?.length ?? 1) > 1
      ? [
          warn(
            `${path}.servers`,
            'nginx asks another server for a GET also when the first may have seen it, and each of its processes learns of a failure by itself',
            'keep GETs free of effects, or take the built-in proxy',
          ),
        ]
      : []),
    ...(changed('maxConnections')
      ? [
          warn(
            `${path}.maxConnections`,
            'nginx has no line in which requests wait for a connection, so the number of connections is not limited',
            'limit the server itself, by its workers and its queue',
          ),
        ]
      : []),
    ...(changed('idleTimeoutMs') && upstream.idleTimeoutMs !== upstream.responseTimeoutMs
      ? [
          warn(
            `${path}.idleTimeoutMs`,
            'nginx has one limit for a silence before and within a response: responseTimeoutMs, save for event streams',
            'give both the same value',
          ),
        ]
      : []),
  ]
}

function ofUpstreamTls(path: string, upstream: Upstream): UnsupportedSetting[] {
  const servers = serversOf(upstream)
  if (!servers.some(({ isTls }) => isTls)) return []
  const { ca, insecure = false } = upstream.tls ?? {}
  const name = tlsNameOf(upstream)
  const isMixed = servers.some(({ isTls }) => !isTls)
  return [
    ...(isMixed
      ? [
          refuse(
            `${path}.servers`,
            'nginx speaks TLS to all servers of a group or to none',
            'make two groups of them, or take the built-in proxy',
          ),
        ]
      : []),
    ...(!insecure && ca === undefined
      ? [
          refuse(
            `${path}.tls.ca`,
            'nginx trusts no authority that it is not told of',
            "name a file of authorities, such as Debian's /etc/ssl/certs/ca-certificates.crt",
          ),
        ]
      : []),
    ...(!insecure && (name === null || isIP(name) > 0)
      ? [
          refuse(
            `${path}.tls.serverName`,
            'nginx looks for one name in the certificates of all servers of a group, and never for an address',
            'write the name that their certificates are for',
          ),
        ]
      : []),
  ]
}

/** nginx has grpc_pass for calls of gRPC alone, which one location cannot have beside proxy_pass for all else. */
function ofProtocol(path: string, { protocol }: Upstream): UnsupportedSetting[] {
  if (protocol === 'auto')
    return [
      warn(
        `${path}.protocol`,
        'nginx passes requests on by HTTP/1.1, whatever the servers choose',
        'leave it out, or take the built-in proxy',
      ),
    ]
  if (protocol === 'http/1.1') return []
  return [
    refuse(
      `${path}.protocol`,
      'nginx passes requests on by HTTP/1.1, and calls of gRPC by directives that serve nothing else',
      'let the servers speak HTTP/1.1, too, or take the built-in proxy',
    ),
  ]
}

function ofCompression({ compression }: EdgeConfig): UnsupportedSetting[] {
  if (compression === undefined) return []
  const { encodings, types, maxBytes } = compression
  const others = encodings.filter((encoding) => encoding !== 'gzip')
  return [
    ...(others.length > 0
      ? [
          warn(
            'edge.compression.encodings',
            `nginx compresses by gzip alone${encodings.includes('gzip') ? '' : ', which is not in the list: nothing is compressed'}`,
            'write encodings = ["gzip"], or lay compressed files beside static ones',
          ),
        ]
      : []),
    ...(encodings.includes('gzip')
      ? [
          warn(
            'edge.compression',
            'nginx compresses responses with Cache-Control: no-transform too, which an app may rely on against BREACH',
            'leave the types of pages that hold secrets out of "types", or compression off',
          ),
        ]
      : []),
    ...(types !== undefined && !types.includes('text/html')
      ? [
          warn(
            'edge.compression.types',
            'nginx compresses text/html whatever the list says',
            'add text/html to the list, or leave compression off',
          ),
        ]
      : []),
    ...(maxBytes === undefined
      ? []
      : [
          warn(
            'edge.compression.maxBytes',
            'nginx compresses bodies of any length',
            'leave the types of large bodies out of "types"',
          ),
        ]),
  ]
}

function ofListener({
  proxyProtocol = [],
  limits,
  requestId,
  timeouts,
  tls,
}: ServerSettings): UnsupportedSetting[] {
  const [, ...others] = tls?.certificates ?? []
  return [
    ...(tls?.acme === undefined
      ? []
      : [
          refuse(
            'tls.acme',
            'nginx gets no certificates by itself',
            'get them by certbot, and name their files in tls, or leave out the proxy',
          ),
        ]),
    ...others.flatMap(({ names = [] }, at) =>
      names.length > 0
        ? []
        : [
            refuse(
              `tls.certificates.${at + 1}.names`,
              'nginx chooses among certificates by names that are written down, not by those in the files',
              'name the hosts that this certificate is for',
            ),
          ],
    ),
    ...(proxyProtocol.length > 0
      ? [
          refuse(
            'proxyProtocol',
            'nginx would take the header from everyone who connects, not from the named peers alone',
            'have the balancer in front send X-Forwarded-For, and name it in trustedProxies',
          ),
        ]
      : []),
    ...(requestId?.header === undefined || isReadableHeader(requestId.header)
      ? []
      : [unreadable('requestId.header', requestId.header)]),
    ...(requestId?.return
      ? [
          warn(
            'requestId.return',
            'nginx does not name the id of a request to its client',
            'have the app send back the X-Request-ID that it is given',
          ),
        ]
      : []),
    ...(limits.minBytesPerS === undefined
      ? []
      : [
          warn(
            'limits.minBytesPerS',
            'nginx ends clients that pause for timeouts.stallMs, and not those that are slow',
            'leave it out, and lower timeouts.stallMs',
          ),
        ]),
    ...(timeouts.stallMs === 0
      ? [
          warn(
            'timeouts.stallMs',
            'nginx has to have a limit for pauses of clients, and keeps 60 s',
            'write how long a client may pause',
          ),
        ]
      : []),
  ]
}

function refuse(path: string, what: string, instead: string): UnsupportedSetting {
  return { path, what, instead, consequence: 'refuse' }
}

function warn(path: string, what: string, instead: string): UnsupportedSetting {
  return { path, what, instead, consequence: 'warn' }
}
