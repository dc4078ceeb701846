import { headerKind } from './header-kind.ts'

/** Options of the Connection header itself, which name no header to drop. */
const PLAIN_CONNECTION = /^(?:keep-alive|close|upgrade)?$/i

/** What a Connection header may not remove (RFC 9110 §7.6.1): who asks, from where, and the message's own frame. */
const PROTECTED =
  /^(?:host|authorization|cookie|content-.*|forwarded|x-forwarded-.*|x-real-ip|traceparent|tracestate|x-request-id)$/

/**
 * Names, in lower case, that Connection headers nominate as meant for this hop alone.
 *
 * @returns null for the usual case that there is none.
 */
export function nominatedHeaders(connection: string): Set<string> | null {
  if (PLAIN_CONNECTION.test(connection)) return null
  let names: Set<string> | null = null
  for (const option of connection.split(',')) {
    const name = option.trim().toLowerCase()
    if (PLAIN_CONNECTION.test(name) || PROTECTED.test(name)) continue
    names ??= new Set()
    names.add(name)
  }
  return names
}

/**
 * Drops what belongs to one connection only (RFC 9110 §7.6.1) from a list of names and values in turn: Connection
 * and what it nominates, Keep-Alive, Proxy-*, TE, Trailer, Transfer-Encoding, Upgrade. For requests and responses.
 *
 * @returns the same list when there is nothing to drop.
 */
export function forwardableHeaders(rawHeaders: readonly string[]): readonly string[] {
  let connection = ''
  let drops = false
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const kind = headerKind(rawHeaders[index]!)
    if (kind === 'connection') connection += (connection && ',') + rawHeaders[index + 1]!
    if (isHopByHop(kind)) drops = true
  }
  if (!drops) return rawHeaders

  const nominated = nominatedHeaders(connection)
  const kept: string[] = []
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!
    if (isHopByHop(headerKind(name)) || nominated?.has(name.toLowerCase())) continue
    kept.push(name, rawHeaders[index + 1]!)
  }
  return kept
}

function isHopByHop(kind: string): boolean {
  return kind === 'hop' || kind === 'connection' || kind === 'transfer-encoding'
}
