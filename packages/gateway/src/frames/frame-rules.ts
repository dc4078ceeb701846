import { frameFlag, frameType, maxDataBytes, maxPayloadBytes } from './frame.ts'
import type { FrameType, Side } from './frame.ts'

const { END, TEXT, MORE, FILE } = frameFlag

/** What one type of frame may look like. */
interface FrameRule {
  name: keyof typeof frameType
  from: Side | 'both'
  /** `connection`: stream 0. `stream`: any other. `any`: both. */
  scope: 'connection' | 'stream' | 'any'
  /** Flags that may be set. */
  allowed: number
  /** Flags that must be set. */
  required: number
  minBytes: number
  maxBytes: number
}

type PartialRule = Partial<FrameRule> & Pick<FrameRule, 'name' | 'from'>

const connection: PartialRule[] = [
  { name: 'HELLO', from: 'host' },
  { name: 'READY', from: 'host' },
  { name: 'FAILED', from: 'host' },
  { name: 'LOG', from: 'host', scope: 'any' },
  { name: 'DRAIN', from: 'gateway', maxBytes: 0 },
  { name: 'PING', from: 'both', maxBytes: 64 },
  { name: 'PONG', from: 'both', maxBytes: 64 },
]

const stream: PartialRule[] = [
  { name: 'REQUEST', from: 'gateway', allowed: END | FILE, minBytes: 8 },
  { name: 'BODY', from: 'both', allowed: END, maxBytes: maxDataBytes },
  { name: 'CREDIT', from: 'both', minBytes: 4, maxBytes: 4 },
  { name: 'CANCEL', from: 'both', maxBytes: 0 },
  { name: 'RESPONSE', from: 'host', allowed: END, minBytes: 12 },
  { name: 'TRAILERS', from: 'host', allowed: END, required: END, maxBytes: maxDataBytes },
  { name: 'FILE', from: 'host', minBytes: 17 },
  { name: 'OPENED', from: 'gateway', maxBytes: 0 },
  { name: 'WS_ACCEPT', from: 'host' },
  { name: 'WS_MESSAGE', from: 'both', allowed: TEXT | MORE, maxBytes: maxDataBytes },
  { name: 'WS_CLOSE', from: 'both', allowed: END, required: END, minBytes: 2 },
]

/** The rules by type number; a hole is an unknown type. */
const rules: readonly (FrameRule | undefined)[] = toTable([
  ...connection.map((rule) => ({ scope: 'connection' as const, ...rule })),
  ...stream.map((rule) => ({ scope: 'stream' as const, ...rule })),
])

/** The parts of a frame's header. */
export interface FrameHeader {
  length: number
  type: number
  flags: number
  reserved: number
  stream: number
}

/** Says what is wrong with a header that a side sent, or undefined when it is well formed. */
export function findFault(header: FrameHeader, from: Side): string | undefined {
  const { length, type, flags, reserved, stream } = header
  const rule = rules[type]
  if (rule === undefined) return `frame type ${type} is unknown`
  if (rule.from !== from && rule.from !== 'both') return `${rule.name} frames do not come from the ${from}`
  if (reserved !== 0) return `the reserved field of ${rule.name} is ${reserved}, not 0`
  if (length > rule.maxBytes) return `${rule.name} has ${length} bytes, more than ${rule.maxBytes}`
  if (length < rule.minBytes) return `${rule.name} has ${length} bytes, fewer than ${rule.minBytes}`
  if ((flags & ~rule.allowed) !== 0) return `${rule.name} has flags ${flags}`
  if ((flags & rule.required) !== rule.required) return `${rule.name} lacks the END flag`
  if (type === frameType.REQUEST && flags === FILE) return 'REQUEST has FILE without END'
  if (rule.scope === 'connection' && stream !== 0) return `${rule.name} is on stream ${stream}, not 0`
  if (rule.scope === 'stream' && stream === 0) return `${rule.name} is on stream 0`
  return undefined
}

/** The name of a type, for logs. */
export function nameOfType(type: FrameType): string {
  return rules[type]?.name ?? String(type)
}

function toTable(partial: PartialRule[]): (FrameRule | undefined)[] {
  const table: (FrameRule | undefined)[] = []
  for (const rule of partial) {
    table[frameType[rule.name]] = {
      scope: 'connection',
      allowed: 0,
      required: 0,
      minBytes: 0,
      maxBytes: maxPayloadBytes,
      ...rule,
    }
  }
  return table
}
