import type { Endpoint } from '@havn/model'
import type { TlsSettings } from '@havn/plugin-api'
import { block, directive } from './conf/directive.ts'
import type { Directive } from './conf/directive.ts'
import { map, matching } from './conf/map.ts'
import type { MapEntry } from './conf/map.ts'
import { escapeRegex, plainText, script, text } from './conf/text.ts'

/** Certificates are chosen by the name that a client asks for; they are read again at a reload. */
export function tlsVariables(tls: TlsSettings | undefined): Directive[] {
  if (tls === undefined) return []
  const [first, ...others] = tls.certificates
  if (first === undefined || others.length === 0) return []
  const choose = (kind: 'cert' | 'key') =>
    map(
      text`$ssl_server_name`,
      `havn_tls_${kind}`,
      tls.certificates.flatMap((certificate): MapEntry[] => {
        const { names = [] } = certificate
        return names.map((name) => [
          matching(namePattern(name), { ignoreCase: true }),
          plainText(certificate[kind]),
        ])
      }),
      plainText(first[kind]),
    )
  return [choose('cert'), choose('key')]
}

/** What the addresses speak that are to speak TLS. */
export function tlsDirectives(tls: TlsSettings | undefined): Directive[] {
  const [first, ...others] = tls?.certificates ?? []
  if (tls === undefined || first === undefined) return []
  const isOne = others.length === 0
  return [
    directive('ssl_certificate', isOne ? plainText(first.cert) : text`$havn_tls_cert`),
    directive('ssl_certificate_key', isOne ? plainText(first.key) : text`$havn_tls_key`),
    directive('ssl_protocols', ...(tls.minVersion === 'TLSv1.3' ? [] : ['TLSv1.2']), 'TLSv1.3'),
    directive('ssl_prefer_server_ciphers', 'off'),
    directive('ssl_session_cache', 'shared:havn_tls:10m'),
    directive('ssl_session_timeout', '1h'),
  ]
}

/** `$havn_to_https` is 1 for who comes by an address that sends to https, challenges of authorities aside (RFC 8555 §8.3). */
export function redirectVariables(tls: TlsSettings | undefined): Directive[] {
  const ports = redirectPorts(tls)
  if (ports.length === 0) return []
  const pattern = String.raw`^(?:${ports.join('|')}) http (?!/\.well-known/acme-challenge/)`
  return [map(text`$server_port $havn_scheme $havn_path`, 'havn_to_https', [[matching(pattern), '1']], '0')]
}

/** Sends them there. */
export function redirectGate(tls: TlsSettings | undefined, endpoints: readonly Endpoint[]): Directive[] {
  if (tls === undefined || redirectPorts(tls).length === 0) return []
  const [first] = endpoints
  const port = tls.publicPort ?? (first?.address.type === 'tcp' ? first.address.port : 443)
  const location = script(`https://$havn_host${port === 443 ? '' : `:${port}`}$havn_path$is_args$args`)
  return [block('if', [{ source: '($havn_to_https)' }], [directive('return', 308, location)])]
}

function redirectPorts(tls: TlsSettings | undefined): number[] {
  return (tls?.redirectFrom ?? []).flatMap((address) => (address.type === 'tcp' ? [address.port] : []))
}

/** `*.shop.test` is for one label, as in a certificate (RFC 6125 §6.4.3). */
function namePattern(name: string): string {
  return name.startsWith('*.') ? `^[^.]+${escapeRegex(name.slice(1))}$` : `^${escapeRegex(name)}$`
}
