import { createPeerTrust } from '@havn/http'
import { block, directive, entry } from './conf/directive.ts'
import type { Directive } from './conf/directive.ts'
import { exactly, map, matching } from './conf/map.ts'
import { DOLLAR, literal, text } from './conf/text.ts'

/** What a Host header may hold: the listener's own rule. */
const HOST = String.raw`(?:[\w.~-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?`
/** The last of a list, as the nearest proxy wrote it. */
const LAST = String.raw`^1 (?:.*,)?[ \t]*`
/** A segment that leads elsewhere, however it is written; browsers and other clients resolve it before they ask. */
const DOT_SEGMENT = String.raw`^[^?]*(?:/|%2f|%5c)(?:\.|%2e){1,2}(?:/|%2f|%5c|\?|\z)`

/**
 * Who asks for what: the variables that everything else is told by.
 *
 * `$havn_path` is the path as it came, percent-encoded; `$havn_host`, `$havn_authority` and `$havn_scheme` are what the
 * client asked for, seen through trusted proxies, and `$havn_peer` is the other end of the connection, empty on a Unix
 * socket. `$havn_malformed` is 1 for requests that parties could read differently.
 *
 * @throws HAVN_ERR_HTTP_TRUSTED_PROXY
 */
export function clientVariables(trustedProxies: readonly string[]): Directive[] {
  return [
    block('geo', [{ source: `$${DOLLAR}` }], [directive('default', literal('$'))]),
    ...addressIn('$realip_remote_addr', 'havn_trusted', trustedProxies),
    map(
      text`$realip_remote_addr`,
      'havn_peer',
      [
        [exactly('unix:'), literal('')],
        [matching('^::ffff:(?<havn_peer_v4>[0-9.]+)$'), text`$havn_peer_v4`],
      ],
      text`$realip_remote_addr`,
    ),
    map(
      text`$havn_trusted $http_x_forwarded_proto`,
      'havn_scheme',
      [
        [matching(LAST + String.raw`(?:https|wss)[ \t]*$`, { ignoreCase: true }), 'https'],
        [matching(LAST + String.raw`(?:http|ws)[ \t]*$`, { ignoreCase: true }), 'http'],
      ],
      text`$scheme`,
    ),
    map(
      text`$havn_trusted $http_x_forwarded_host`,
      'havn_forwarded_authority',
      [[matching(LAST + `(?<havn_named>${HOST})[ \\t]*$`), text`$havn_named`]],
      literal(''),
    ),
    // The target's own authority wins over Host (RFC 9112 §3.2.2).
    map(
      text`$request`,
      'havn_own_authority',
      [
        [
          matching('^[^ ]+ https?://(?<havn_target_authority>[^/? ]+)', { ignoreCase: true }),
          text`$havn_target_authority`,
        ],
      ],
      text`$http_host`,
    ),
    map(
      text`$havn_forwarded_authority`,
      'havn_authority',
      [[literal(''), text`$havn_own_authority`]],
      text`$havn_forwarded_authority`,
    ),
    map(
      text`$havn_forwarded_authority`,
      'havn_host',
      [
        [literal(''), text`$host`],
        [matching(String.raw`^(?<havn_name>\[[^\]]*\]|[^:]*?)\.?(?::\d+)?$`), text`$havn_name`],
      ],
      text`$host`,
    ),
    map(text`$request_uri`, 'havn_path', [[matching('^(?<havn_raw_path>[^?]*)'), text`$havn_raw_path`]], '/'),
    map(
      text`$request_uri`,
      'havn_malformed_target',
      [
        [matching(DOT_SEGMENT, { ignoreCase: true }), '1'],
        [matching(String.raw`[#\\]|%00`, { ignoreCase: true }), '1'],
      ],
      '0',
    ),
    map(
      text`$havn_malformed_target $http_host`,
      'havn_malformed',
      [[matching(`^0 (?:${HOST})?$`), '0']],
      '1',
    ),
  ]
}

/** `$havn_client`: whom an address stands for. A client has a whole IPv6 /64, and an IPv4 address may come in the clothes of IPv6. */
export function clientNetwork(): Directive {
  return map(
    text`$binary_remote_addr`,
    'havn_client',
    [
      [matching(String.raw`(?s)^\x00{10}\xff\xff(?<havn_client_v4>.{4})\z`), text`$havn_client_v4`],
      [matching(String.raw`(?s)^(?<havn_client_net>.{8}).{8}\z`), text`$havn_client_net`],
    ],
    text`$binary_remote_addr`,
  )
}

/** Where the address of a client that comes through trusted proxies stands. */
export function realClient(trustedProxies: readonly string[]): Directive[] {
  if (trustedProxies.length === 0) return []
  return [
    ...trustedProxies.map((peer) => directive('set_real_ip_from', peer === 'unix' ? 'unix:' : peer)),
    directive('real_ip_header', 'X-Forwarded-For'),
    directive('real_ip_recursive', 'on'),
  ]
}

/** `$name` is 1 where an address is one of these addresses, CIDRs or `unix`, else 0. */
export function addressIn(address: string, name: string, entries: readonly string[]): Directive[] {
  createPeerTrust(entries)
  const networks = entries.filter((network) => network !== 'unix')
  return [
    block(
      'geo',
      [{ source: address }, { source: `$${name}_network` }],
      [directive('default', '0'), ...networks.map((network) => entry(literal(network), '1'))],
    ),
    map({ source: address }, name, [[exactly('unix:'), entries.includes('unix') ? '1' : '0']], {
      source: `$${name}_network`,
    }),
  ]
}
