import { defineFact } from '../../define.ts'
import { siteAsker } from './site-fact.ts'
import type { SiteProbe } from './site-probe.ts'

/** A message that a strict server refuses. */
export interface ParsingProbe {
  id: ParsingId
  /** For people: `Content-Length and Transfer-Encoding in one message`. */
  title: string
  probe: SiteProbe
}

/** The odd messages that are sent, by name. */
export type ParsingId = keyof typeof MESSAGES

/** The end of a chunked body, and five bytes long: both ways to read it take the whole message. */
const EMPTY_CHUNKS = '0\r\n\r\n'

/**
 * Each is a GET, on a connection of its own, that ends at the same byte however it is read: whatever a proxy and a server
 * behind it make of it, nothing is left over that could become the beginning of somebody's request.
 */
const MESSAGES = {
  'both-lengths': {
    title: 'Content-Length and Transfer-Encoding in one message',
    head: 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n',
    body: EMPTY_CHUNKS,
  },
  'encoding-space': {
    title: 'a space before the colon of Transfer-Encoding',
    head: 'Content-Length: 5\r\nTransfer-Encoding : chunked\r\n',
    body: EMPTY_CHUNKS,
  },
  'encoding-unknown': {
    title: 'Transfer-Encoding: xchunked',
    head: 'Content-Length: 5\r\nTransfer-Encoding: xchunked\r\n',
    body: EMPTY_CHUNKS,
  },
  'encoding-control': {
    title: 'a vertical tab before "chunked"',
    head: 'Content-Length: 5\r\nTransfer-Encoding: \x0bchunked\r\n',
    body: EMPTY_CHUNKS,
  },
  'length-sign': { title: 'Content-Length: +0', head: 'Content-Length: +0\r\n', body: '' },
  'length-twice': {
    title: 'Content-Length twice, once as no number',
    head: 'Content-Length: 0\r\nContent-Length: x\r\n',
    body: '',
  },
  'header-nul': { title: 'a NUL in a header', head: 'X-Check: a\0b\r\n', body: '' },
  'bare-return': { title: 'a CR without LF in a header', head: 'X-Check: a\rX-Other: b\r\n', body: '' },
  'host-twice': { title: 'two Host headers', head: 'Host: havn-check.invalid\r\n', body: '' },
} as const

/** Answers to messages that can be read in two ways, and to one that is far too large. */
export interface SiteParsing {
  probes: readonly ParsingProbe[]
  hostMissing: SiteProbe
  lineFeeds: SiteProbe
  oversized: SiteProbe
}

const OVERSIZED_BYTES = 64 * 1024

/** How the site reads messages that two parties could read in two ways. Null without a site. */
export const siteParsing = defineFact<SiteParsing>({
  id: 'site-parsing',
  title: 'Answer of a site named by --url',
  async collect({ get }) {
    const asker = await get(siteAsker)
    if (asker === null) return null
    const { prober, scheme, home } = asker
    const target = home.url.slice(prober.origin(scheme).length)
    const host = `Host: ${prober.authority(scheme)}\r\n`
    const send = (head: string, body = '') =>
      prober.request({
        scheme,
        target,
        raw: `GET ${target} HTTP/1.1\r\n${head}User-Agent: HavnCheck/0.1\r\nConnection: close\r\n\r\n${body}`,
      })
    const probes = Object.entries(MESSAGES).map(async ([id, { title, head, body }]) => ({
      id: id as ParsingId,
      title,
      probe: await send(host + head, body),
    }))
    const [answers, hostMissing, lineFeeds, oversized] = await Promise.all([
      Promise.all(probes),
      send(''),
      prober.request({
        scheme,
        target,
        raw: `GET ${target} HTTP/1.1\n${host.trimEnd()}\nConnection: close\n\n`,
      }),
      send(`${host}X-Check: ${'a'.repeat(OVERSIZED_BYTES)}\r\n`),
    ])
    return { probes: answers, hostMissing, lineFeeds, oversized }
  },
})
