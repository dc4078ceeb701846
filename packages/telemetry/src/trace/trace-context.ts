/** A parsed `traceparent` (W3C Trace Context §3.2). */
export interface TraceParent {
  /** 32 hex digits, not all zero. */
  traceId: string
  /** 16 hex digits, not all zero: the caller's span. */
  parentId: string
  /** Bit 0: sampled. */
  flags: number
}

const TRACEPARENT =
  /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/
/** Members that must be passed on: W3C Trace Context §3.3.1.1 and §3.3.1.5. */
const MAX_TRACESTATE_LENGTH = 512
const MAX_TRACESTATE_MEMBERS = 32

/**
 * Parses a `traceparent` header as strictly as W3C Trace Context §3.2 has it: version 00 is exact, a later version
 * may have more parts.
 *
 * @returns null when the header must be ignored.
 */
export function parseTraceparent(header: string): TraceParent | null {
  const match = TRACEPARENT.exec(header)
  if (match === null || (match[1] === '00' && match[5] !== undefined)) return null
  return { traceId: match[2]!, parentId: match[3]!, flags: parseInt(match[4]!, 16) }
}

/** Writes a version 00 header. Only the flag that version defines, sampled, is sent (§3.2.2.5.2). */
export function formatTraceparent({ traceId, parentId, flags }: TraceParent): string {
  return `00-${traceId}-${parentId}-0${flags & 1}`
}

/** True for a `tracestate` that may be passed on; the receiver parses its members. */
export function isTracestate(header: string): boolean {
  if (header.length === 0 || header.length > MAX_TRACESTATE_LENGTH) return false
  return /^[\x20-\x7e\t]+$/.test(header) && header.split(',').length <= MAX_TRACESTATE_MEMBERS
}
