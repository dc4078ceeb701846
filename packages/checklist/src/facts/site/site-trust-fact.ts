import { defineFact } from '../../define.ts'
import { redirectOf, siteAsker, siteHome } from './site-fact.ts'
import { answerOf, headerValue, type SiteProbe } from './site-probe.ts'

/** A name that nobody can have (RFC 6761 §6.4): in an answer, it is an echo. */
export const FORGED_HOST = 'havn-check.invalid'
/** An address of documentation (RFC 5737). */
export const FORGED_ADDRESS = '203.0.113.77'

/** What the site makes of what a client says of itself, and of others. */
export interface SiteTrust {
  forgedHost: SiteProbe
  /** With X-Forwarded-Host and -For. */
  forwarded: SiteProbe
  /** With X-Forwarded-Proto, where it shows: see {@link protoBaseline}. */
  forwardedProto: SiteProbe | null
  /** The same without it. */
  protoBaseline: SiteProbe | null
  /** With an Origin that is not the site's. */
  foreignOrigin: SiteProbe
  nullOrigin: SiteProbe
  trace: SiteProbe
  /** HTTP/1.0 without Host. */
  hostless: SiteProbe
  compressed: SiteProbe
}

/** What the site believes of who asks: hosts, forwarded headers, origins. Null without a site. */
export const siteTrust = defineFact<SiteTrust>({
  id: 'site-trust',
  title: 'Answer of a site named by --url',
  async collect({ get }) {
    const [asker, way] = [await get(siteAsker), await get(siteHome)]
    if (asker === null || way === null) return null
    const { prober, scheme, home } = asker
    const target = home.url.slice(prober.origin(scheme).length)
    const ask = (headers: Record<string, string>) => prober.request({ scheme, target, headers })
    // On the plain port a forged https keeps the redirect away; behind TLS a forged http brings one. A plain site may send
    // everybody to a port of TLS that is not asked: that is a redirect all the same.
    const isDoor = scheme === 'http' && redirectOf(home)?.protocol === 'https:'
    const plain = way.plain ?? (isDoor ? home : null)
    const [forgedHost, forwarded, forwardedProto, foreignOrigin, nullOrigin, trace, hostless, compressed] =
      await Promise.all([
        ask({ Host: FORGED_HOST }),
        ask({ 'X-Forwarded-Host': FORGED_HOST, 'X-Forwarded-For': FORGED_ADDRESS }),
        plain === null
          ? scheme === 'https'
            ? ask({ 'X-Forwarded-Proto': 'http' })
            : null
          : prober.request({
              scheme: 'http',
              target: plain.url.slice(prober.origin('http').length),
              headers: { 'X-Forwarded-Proto': 'https' },
            }),
        ask({ Origin: `https://${FORGED_HOST}` }),
        ask({ Origin: 'null' }),
        prober.request({ scheme, target, method: 'TRACE', headers: { 'X-Havn-Check': 'echo' } }),
        prober.request({ scheme, target, raw: `GET ${target} HTTP/1.0\r\n\r\n` }),
        ask({ 'Accept-Encoding': 'gzip, br' }),
      ])
    const protoBaseline = forwardedProto === null ? null : (plain ?? home)
    return {
      ...{ forgedHost, forwarded, forwardedProto, protoBaseline },
      ...{ foreignOrigin, nullOrigin, trace, hostless, compressed },
    }
  },
})

/** Where in an answer a text comes back: a header's name, or the page; null where it does not. */
export function echoOf(probe: SiteProbe, text: string): string | null {
  const answer = answerOf(probe)
  if (answer === null) return null
  const header = answer.headers.find(([, value]) => value.includes(text))
  if (header !== undefined) return header[0]
  // An error page that quotes what it refuses has believed nothing.
  return answer.status < 400 && answer.body.includes(text) ? 'the page' : null
}

/** Whether an answer of the compressed kind is: of the probe that asked for it. */
export function isCompressed(probe: SiteProbe): boolean {
  const answer = answerOf(probe)
  return answer !== null && /gzip|br|deflate|zstd/.test(headerValue(answer, 'content-encoding') ?? '')
}
