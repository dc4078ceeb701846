import { directive } from './conf/directive.ts'
import type { Directive } from './conf/directive.ts'
import { exactly, map, matching } from './conf/map.ts'
import type { MapEntry } from './conf/map.ts'
import { literal, plainText, text } from './conf/text.ts'
import type { Word } from './conf/text.ts'

const REQUEST_ID = 'X-Request-ID'

/** What belongs to one connection only (RFC 9110 §7.6.1), beside what nginx keeps back by itself. */
const HOP_BY_HOP = ['Proxy-Authenticate', 'Proxy-Authorization', 'Proxy-Connection', 'Trailer']

/**
 * What only trusted proxies may say. nginx can drop a header by its name alone: these are the `X-Forwarded-*` that
 * frameworks and their plugins are known to read.
 */
const TRUSTED_ONLY = [
  'X-Real-IP',
  REQUEST_ID,
  'Traceparent',
  'Tracestate',
  ...[
    ...['Access-Token', 'By', 'Client-Cert', 'Client-Cert-Info', 'Email', 'Groups', 'Method', 'Path', 'Port'],
    ...[
      'Preferred-Username',
      'Protocol',
      'Roles',
      'Scheme',
      'Server',
      'Ssl',
      'Tls-Client-Cert',
      'Uri',
      'Url',
      'User',
    ],
  ].map((name) => `X-Forwarded-${name}`),
]

/** A route that replaces a prefix, for the upstream to know of. */
export interface ReplacedPrefix {
  /** The route, as `$havn_route` names it. */
  route: string
  prefix: string
}

/** The variables that {@link forwardHeaders} sends on. */
export function forwardVariables(
  prefixes: readonly ReplacedPrefix[],
  requestIdHeader = REQUEST_ID,
): Directive[] {
  return [
    map(
      text`$havn_trusted $http_x_forwarded_for`,
      'havn_forwarded_before',
      [[matching('^1 (?<havn_hops>.+)$'), text`$havn_hops`]],
      literal(''),
    ),
    map(
      text`$havn_forwarded_before`,
      'havn_forwarded_with_peer',
      [[literal(''), text`$havn_peer`]],
      text`$havn_forwarded_before, $havn_peer`,
    ),
    map(
      text`$havn_peer`,
      'havn_forwarded_for',
      [[literal(''), text`$havn_forwarded_before`]],
      text`$havn_forwarded_with_peer`,
    ),
    map(
      text`$havn_trusted $http_forwarded`,
      'havn_forwarded_elements',
      [[matching('^1 (?<havn_elements>.+)$'), text`$havn_elements, `]],
      literal(''),
    ),
    map(
      text`$havn_peer`,
      'havn_forwarded_node',
      [
        [literal(''), 'unknown'],
        [matching(':'), text`"[$havn_peer]"`],
      ],
      text`$havn_peer`,
    ),
    map(
      text`$havn_authority`,
      'havn_forwarded_host',
      [[literal(''), literal('')]],
      text`;host="$havn_authority"`,
    ),
    map(text`$havn_authority`, 'havn_sent_host', [[literal(''), 'localhost']], text`$havn_authority`),
    map(
      { source: `$${headerVariable(requestIdHeader)}` },
      'havn_request_id',
      [[literal(''), text`$request_id`]],
      { source: `$${headerVariable(requestIdHeader)}` },
    ),
    ...TRUSTED_ONLY.map((name) =>
      map(text`$havn_trusted`, trustedVariable(name), [[exactly('1'), valueOf(name)]], otherwiseOf(name)),
    ),
    map(
      text`$havn_trusted`,
      'havn_trusted_prefix',
      [[exactly('1'), text`$http_x_forwarded_prefix`]],
      literal(''),
    ),
    map(
      text`$havn_route`,
      'havn_prefix',
      prefixes.map(({ route, prefix }): MapEntry => [literal(route), plainText(prefix)]),
      text`$havn_trusted_prefix`,
    ),
    map(
      text`$http_upgrade`,
      'havn_upgrade',
      [[matching('^websocket$', { ignoreCase: true }), 'websocket']],
      literal(''),
    ),
    map(text`$havn_upgrade`, 'havn_connection', [[exactly('websocket'), 'upgrade']], literal('')),
  ]
}

/** What an upstream is told of the client, and what it is not. */
export function forwardHeaders(): Directive[] {
  const header = (name: string, value: Word) => directive('proxy_set_header', name, value)
  return [
    header('Host', text`$havn_sent_host`),
    header('X-Forwarded-For', text`$havn_forwarded_for`),
    header('X-Forwarded-Proto', text`$havn_scheme`),
    header('X-Forwarded-Host', text`$havn_authority`),
    header('X-Forwarded-Prefix', text`$havn_prefix`),
    header(
      'Forwarded',
      text`\${havn_forwarded_elements}for=$havn_forwarded_node$havn_forwarded_host;proto=$havn_scheme`,
    ),
    ...TRUSTED_ONLY.map((name) => header(name, { source: `$${trustedVariable(name)}` })),
    header('Upgrade', text`$havn_upgrade`),
    header('Connection', text`$havn_connection`),
    ...HOP_BY_HOP.map((name) => header(name, literal(''))),
  ]
}

/** The variable in which nginx has a request's header. */
export function headerVariable(name: string): string {
  return `http_${name.toLowerCase().replaceAll('-', '_')}`
}

/** True for a header that nginx can look at. A name with an underscore never gets here: requests lose it. */
export function isReadableHeader(name: string): boolean {
  return /^[A-Za-z0-9-]+$/.test(name)
}

function trustedVariable(name: string): string {
  return `havn_trusted_${name.toLowerCase().replaceAll('-', '_')}`
}

/** A request of a stranger, or of a proxy that gives it none, gets an id of its own. */
function otherwiseOf(name: string): Word {
  return name === REQUEST_ID ? text`$request_id` : literal('')
}

function valueOf(name: string): Word {
  return { source: name === REQUEST_ID ? '$havn_request_id' : `$${headerVariable(name)}` }
}
