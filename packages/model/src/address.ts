/** Where something listens. A TCP port of 0 asks the kernel for a free one. */
export type Address = { type: 'tcp'; host: string; port: number } | { type: 'unix'; path: string }

/**
 * Reads `:8000`, `127.0.0.1:8000`, `[::1]:8000`, `8000`, `unix:/run/app.sock`.
 * A missing host means loopback: nothing is public unless it was asked for.
 *
 * @returns null when the text is none of these.
 */
export function parseAddress(text: string): Address | null {
  if (text.startsWith('unix:')) {
    return text.length > 5 ? { type: 'unix', path: text.slice(5) } : null
  }
  const match = /^(?:(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]*)):)?(\d{1,5})$/.exec(text)
  if (!match) return null
  const port = Number(match[3])
  if (port > 65535) return null
  return { type: 'tcp', host: match[1] ?? (match[2] || '127.0.0.1'), port }
}

/** The inverse of {@link parseAddress}. */
export function formatAddress(address: Address): string {
  if (address.type === 'unix') return `unix:${address.path}`
  const host = address.host.includes(':') ? `[${address.host}]` : address.host
  return `${host}:${address.port}`
}

/** The URL a person opens for this address; wildcard hosts become loopback. */
export function addressToUrl(address: Address, scheme: 'http' | 'https' = 'http'): string {
  if (address.type === 'unix') return formatAddress(address)
  const loopback: Record<string, string> = { '0.0.0.0': '127.0.0.1', '::': '::1' }
  const host = loopback[address.host] ?? address.host
  return `${scheme}://${formatAddress({ ...address, host })}/`
}
