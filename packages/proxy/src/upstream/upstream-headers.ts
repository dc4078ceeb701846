import type { RequestTarget } from '@havn/http'

/** Fields that are written anew for the upstream. */
const OWN = new Set(['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'forwarded'])

export interface UpstreamHeadersInput {
  target: RequestTarget
  /** Who is at the other end of the connection: the last hop, not the client behind it. Empty on a Unix socket. */
  peerAddress: string
  /** Request id and trace context, which replace what came. */
  traceHeaders: readonly string[]
  /** Fields that describe this hop: the body's frame, or the wish to upgrade. */
  hopHeaders: readonly string[]
}

/**
 * The headers of the request that is sent on, names and values in turn: what came, with this hop appended to
 * X-Forwarded-For and Forwarded (RFC 7239). Those fields are still there only when the peer is trusted.
 */
export function toUpstreamHeaders(input: UpstreamHeadersInput): string[] {
  const { target, peerAddress, traceHeaders, hopHeaders } = input
  const headers: string[] = []
  let forwardedFor = ''
  let forwarded = ''
  let hasHost = false
  for (let index = 0; index < target.headers.length; index += 2) {
    const name = target.headers[index]!
    const value = target.headers[index + 1]!
    const key = lowerCase(name)
    if (key === 'x-forwarded-for') forwardedFor = join(forwardedFor, value)
    else if (key === 'forwarded') forwarded = join(forwarded, value)
    if (OWN.has(key) || isNamed(traceHeaders, key)) continue
    if (key === 'host') hasHost = true
    headers.push(name, value)
  }

  if (!hasHost) headers.push('Host', target.host || 'localhost')
  if (peerAddress !== '') forwardedFor = join(forwardedFor, peerAddress)
  if (forwardedFor !== '') headers.push('X-Forwarded-For', forwardedFor)
  headers.push('X-Forwarded-Proto', target.scheme)
  if (target.host !== '') headers.push('X-Forwarded-Host', target.host)
  headers.push('Forwarded', join(forwarded, forwardedElement(target, peerAddress)))
  headers.push(...traceHeaders, ...hopHeaders)
  return headers
}

function forwardedElement(target: RequestTarget, peerAddress: string): string {
  const node = peerAddress.includes(':') ? `"[${peerAddress}]"` : peerAddress || 'unknown'
  const host = target.host === '' ? '' : `;host="${target.host}"`
  return `for=${node}${host};proto=${target.scheme}`
}

function join(list: string, item: string): string {
  return list === '' ? item : `${list}, ${item}`
}

function isNamed(headers: readonly string[], key: string): boolean {
  for (let index = 0; index < headers.length; index += 2) if (lowerCase(headers[index]!) === key) return true
  return false
}

/** Names differ little between requests: most are answered from here. */
const known = new Map<string, string>()
const MAX_KNOWN = 1024

function lowerCase(name: string): string {
  let key = known.get(name)
  if (key === undefined) {
    key = name.toLowerCase()
    // A slice would keep the whole head that it was cut from.
    if (known.size < MAX_KNOWN) known.set(Buffer.from(name, 'latin1').toString('latin1'), key)
  }
  return key
}
