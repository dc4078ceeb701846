import ipaddr from 'ipaddr.js'
import { errors } from './errors.ts'

/** True for a peer whose forwarded headers are believed; the empty address is a peer on a Unix socket. */
export type PeerTrust = (address: string) => boolean

/** Answers that are kept: peers are few, and their addresses come again with every request. */
const MAX_REMEMBERED = 4096

/**
 * Compiles a list of addresses, CIDRs and `unix`.
 *
 * @throws HAVN_ERR_HTTP_TRUSTED_PROXY for an entry that is none of these.
 */
export function createPeerTrust(entries: readonly string[]): PeerTrust {
  if (entries.length === 0) return () => false

  const trustsUnix = entries.includes('unix')
  const ranges = entries.filter((entry) => entry !== 'unix').map(parseRange)
  const remembered = new Map<string, boolean>([['', trustsUnix]])

  return (address) => {
    let trusted = remembered.get(address)
    if (trusted === undefined) {
      trusted = isInside(address, ranges)
      if (remembered.size >= MAX_REMEMBERED) remembered.clear()
      remembered.set(address, trusted).set('', trustsUnix)
    }
    return trusted
  }
}

/** An IPv4 address that came through an IPv6 socket (`::ffff:10.0.0.1`) as plain IPv4. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address
}

type Range = [ipaddr.IPv4 | ipaddr.IPv6, number]

function parseRange(entry: string): Range {
  try {
    if (entry.includes('/')) return ipaddr.parseCIDR(entry)
    if (!ipaddr.IPv4.isValidFourPartDecimal(entry) && !entry.includes(':')) throw new Error('not an address')
    const address = ipaddr.process(entry)
    return [address, address.kind() === 'ipv4' ? 32 : 128]
  } catch (cause) {
    throw errors.HAVN_ERR_HTTP_TRUSTED_PROXY({ entry }, { cause })
  }
}

function isInside(text: string, ranges: readonly Range[]): boolean {
  if (!ipaddr.isValid(text)) return false
  const address = ipaddr.process(text)
  return ranges.some(([network, bits]) => network.kind() === address.kind() && address.match(network, bits))
}
