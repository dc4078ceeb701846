import { BlockList, isIP, isIPv6 } from 'node:net'

/** Names that no public authority gives out: RFC 6761 (localhost, test), RFC 6762 (local), RFC 8375, and ICANN's internal. */
export const LOCAL_DOMAINS: readonly string[] = ['localhost', 'test', 'local', 'home.arpa', 'internal']

/** Addresses that lead nowhere on the internet: loopback, RFC 1918, RFC 3927, RFC 4193 and RFC 4291 §2.5.6. */
export const LOCAL_NETWORKS: readonly { address: string; prefix: number }[] = [
  { address: '127.0.0.0', prefix: 8 },
  { address: '10.0.0.0', prefix: 8 },
  { address: '172.16.0.0', prefix: 12 },
  { address: '192.168.0.0', prefix: 16 },
  { address: '169.254.0.0', prefix: 16 },
  { address: '::1', prefix: 128 },
  { address: 'fc00::', prefix: 7 },
  { address: 'fe80::', prefix: 10 },
]

const networks = new BlockList()
for (const { address, prefix } of LOCAL_NETWORKS)
  networks.addSubnet(address, prefix, isIPv6(address) ? 'ipv6' : 'ipv4')

const LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/

/** Whether a development authority may stand for it: a DNS name, with `*.` before it or not, or an address. */
export function isLocalName(name: string): boolean {
  const version = isIP(name)
  if (version !== 0) return networks.check(name, version === 6 ? 'ipv6' : 'ipv4')
  const labels = name.replace(/^\*\./, '').split('.')
  if (name.length > 253 || !labels.every((label) => LABEL.test(label))) return false
  return LOCAL_DOMAINS.some((domain) => name === domain || name.endsWith(`.${domain}`))
}
