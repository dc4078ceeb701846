import { isIP } from 'node:net'
import { isHost } from './host.ts'
import { plainAddress } from './peer-trust.ts'
import type { PeerTrust } from './peer-trust.ts'

/** What trusted proxies say about the client; what they don't say is absent. */
export interface ForwardedClient {
  address: string
  /** 0 when unknown. */
  port: number
  scheme?: 'http' | 'https'
  host?: string
}

/** What one proxy wrote of the peer that it saw. */
interface Hop {
  for?: string
  proto?: string
  host?: string
}

/**
 * Finds the client behind trusted proxies: the right-most hop that is not trusted itself, in X-Forwarded-For or, in
 * its absence, Forwarded (RFC 7239). Each proxy appends the peer it saw, so what lies further left is the client's
 * own claim. Called for trusted peers only.
 */
export function readForwarded(
  rawHeaders: readonly string[],
  peer: { address: string; port: number },
  isTrusted: PeerTrust,
): ForwardedClient {
  const fields = collect(rawHeaders)
  const hops = fields.for !== '' ? hopsOfXForwarded(fields) : hopsOfForwarded(fields.forwarded)
  const client: ForwardedClient = { address: peer.address, port: peer.port }
  let seen: Hop | undefined
  for (let index = hops.length - 1; index >= 0; index--) {
    const hop = hops[index]!
    // Whoever wrote it is trusted, whatever it could tell of its own peer.
    seen = hop
    if (hop.for === UNIX_PEER && isTrusted('')) continue
    const node = parseNode(hop.for)
    // An unknown or hidden peer: everything to its left is hearsay.
    if (!node) break
    client.address = node.address
    client.port = node.port
    if (!isTrusted(node.address)) break
  }

  const nearest: Hop = { proto: lastOf(fields.proto), host: lastOf(fields.host) }
  const scheme = (seen?.proto ?? nearest.proto)?.toLowerCase()
  if (scheme === 'https' || scheme === 'wss') client.scheme = 'https'
  else if (scheme === 'http' || scheme === 'ws') client.scheme = 'http'
  const host = seen?.host ?? nearest.host
  if (host !== undefined && isHost(host)) client.host = host
  return client
}

/** What nginx writes of a peer on a Unix socket. */
const UNIX_PEER = 'unix:'

interface Fields {
  for: string
  proto: string
  host: string
  forwarded: string
}

function collect(rawHeaders: readonly string[]): Fields {
  const fields: Fields = { for: '', proto: '', host: '', forwarded: '' }
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const key = FIELD_OF[rawHeaders[index]!.toLowerCase()]
    if (key) fields[key] += (fields[key] && ',') + rawHeaders[index + 1]!
  }
  return fields
}

const FIELD_OF: Readonly<Record<string, keyof Fields | undefined>> = {
  'x-forwarded-for': 'for',
  'x-forwarded-proto': 'proto',
  'x-forwarded-host': 'host',
  forwarded: 'forwarded',
}

/** Schemes and hosts belong to hops only where there are as many of them; most proxies write just one. */
function hopsOfXForwarded(fields: Fields): Hop[] {
  const addresses = fields.for.split(',')
  const protos = fields.proto.split(',')
  const hosts = fields.host.split(',')
  return addresses.map((address, index) => ({
    for: address.trim(),
    ...(protos.length === addresses.length && fields.proto !== '' && { proto: protos[index]!.trim() }),
    ...(hosts.length === addresses.length && fields.host !== '' && { host: hosts[index]!.trim() }),
  }))
}

function hopsOfForwarded(value: string): Hop[] {
  return splitOutsideQuotes(value, ',').map((element) => {
    const hop: Hop = {}
    let isVoid = false
    for (const pair of splitOutsideQuotes(element, ';')) {
      const equals = pair.indexOf('=')
      const name = pair.slice(0, equals).trim().toLowerCase()
      if (name !== 'for' && name !== 'proto' && name !== 'host') continue
      // RFC 7239 §4 allows each parameter once: of two, nobody knows which the proxy meant.
      isVoid ||= hop[name] !== undefined
      hop[name] = unquote(pair.slice(equals + 1).trim())
    }
    return isVoid ? {} : hop
  })
}

/** In one pass, whatever the text: it may be the client's. A quote that nothing closes is a character like others. */
function splitOutsideQuotes(text: string, separator: string): string[] {
  const parts: string[] = []
  let start = 0
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '"') {
      at = closingQuote(text, at)
      if (at === -1) {
        parts.push(...text.slice(start).split(separator))
        return parts.filter(isFilled)
      }
    } else if (text[at] === separator) {
      parts.push(text.slice(start, at))
      start = at + 1
    }
  }
  parts.push(text.slice(start))
  return parts.filter(isFilled)
}

function closingQuote(text: string, openingQuote: number): number {
  for (let at = openingQuote + 1; at < text.length; at++) {
    if (text[at] === '"') return at
    if (text[at] === '\\') at++
  }
  return -1
}

function isFilled(part: string): boolean {
  return part.trim() !== ''
}

function unquote(text: string): string {
  return text.startsWith('"') && text.endsWith('"') && text.length > 1
    ? text.slice(1, -1).replace(/\\(.)/g, '$1')
    : text
}

function lastOf(list: string): string | undefined {
  return list === '' ? undefined : list.slice(list.lastIndexOf(',') + 1).trim()
}

/** `1.2.3.4`, `1.2.3.4:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`; a port may be hidden: `:_p1`. */
function parseNode(text: string | undefined): { address: string; port: number } | null {
  if (text === undefined) return null
  if (isIP(text)) return { address: plainAddress(text), port: 0 }
  const match = /^(?:\[([0-9a-f:.]+)\]|([0-9.]+))(?::(?:(\d{1,5})|_[\w.-]+))?$/i.exec(text)
  const address = match?.[1] ?? match?.[2]
  if (!address || !isIP(address)) return null
  const port = Number(match?.[3] ?? 0)
  return { address: plainAddress(address), port: port > 65_535 ? 0 : port }
}
