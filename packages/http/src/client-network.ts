import ipaddr from 'ipaddr.js'

/**
 * Whom an address stands for where clients are counted: an IPv4 address for itself, an IPv6 address for its /64, of
 * which a single client has all. What is no address stands for itself.
 */
export function clientNetwork(address: string): string {
  if (!address.includes(':') || !ipaddr.IPv6.isValid(address)) return address
  const parsed = ipaddr.process(address)
  if (parsed instanceof ipaddr.IPv4) return parsed.toString()
  return parsed.parts
    .slice(0, 4)
    .map((part) => part.toString(16))
    .join(':')
}
