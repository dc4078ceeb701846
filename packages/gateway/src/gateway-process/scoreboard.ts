import { readFileSync } from 'node:fs'

const SLOT_BYTES = 64
const PHASES = ['idle', 'taken', 'app', 'sending'] as const

/** What one thread of a host was doing (docs/reference/host-protocol.md, "The scoreboard"). */
export interface ScoreboardSlot {
  /** The host's thread, from 0. */
  slot: number
  stream: number
  phase: (typeof PHASES)[number] | 'unknown'
  /** CLOCK_MONOTONIC, in seconds, when the phase began. */
  since: number
  /** Requests begun in this slot. */
  begun: number
}

/** Reads a worker's scoreboard; empty when there is none. True even when the worker is dead or hangs. */
export function readScoreboard(path: string): ScoreboardSlot[] {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch {
    return []
  }
  const slots: ScoreboardSlot[] = []
  for (let at = 0; at + SLOT_BYTES <= bytes.length; at += SLOT_BYTES) {
    slots.push({
      slot: at / SLOT_BYTES,
      stream: bytes.readUInt32LE(at),
      phase: PHASES[bytes.readUInt32LE(at + 4)] ?? 'unknown',
      since: bytes.readDoubleLE(at + 8),
      begun: Number(bytes.readBigUInt64LE(at + 16)),
    })
  }
  return slots
}

/** Those that had a request. */
export function busySlots(slots: readonly ScoreboardSlot[]): ScoreboardSlot[] {
  return slots.filter(({ phase, stream }) => stream !== 0 && phase !== 'idle')
}
