import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import type { CounterName } from '../dispatch/counters.ts'
import type { LastFigures } from './death-certificate.ts'

/** How old the figures of a process that dies can be. */
const WRITE_MS = 1_000
/** When (ms since 1970, as a double), and three sums of 32 bits. */
const BYTES = 20

/**
 * A small file in which a gateway process keeps its figures: what its supervisor can still read once it is dead.
 * Written in place by one system call a second, whatever the load.
 */
export class FiguresFile {
  readonly #read: () => Record<CounterName, number>
  readonly #bytes = Buffer.alloc(BYTES)
  #descriptor: number | null = null
  #timer: NodeJS.Timeout | undefined

  /** @param read sums over all threads. */
  constructor(path: string, read: () => Record<CounterName, number>) {
    this.#read = read
    try {
      this.#descriptor = openSync(path, 'w', 0o600)
    } catch {
      // Then nobody will know them; nothing else depends on it.
    }
  }

  start(): void {
    this.write()
    this.#timer = setInterval(() => this.write(), WRITE_MS).unref()
  }

  write(): void {
    if (this.#descriptor === null) return
    const { requests, inFlight, queued } = this.#read()
    this.#bytes.writeDoubleLE(Date.now(), 0)
    this.#bytes.writeUInt32LE(requests >>> 0, 8)
    this.#bytes.writeUInt32LE(inFlight >>> 0, 12)
    this.#bytes.writeUInt32LE(queued >>> 0, 16)
    try {
      writeSync(this.#descriptor, this.#bytes, 0, BYTES, 0)
    } catch {
      // A full disk: what is there already is older, and says so.
    }
  }

  /** Leaves the file as it is. Safe to call twice. */
  close(): void {
    clearInterval(this.#timer)
    if (this.#descriptor !== null) closeSync(this.#descriptor)
    this.#descriptor = null
  }
}

/** What a process has left; null where it has not come to it. */
export function readFigures(path: string): LastFigures | null {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch {
    return null
  }
  if (bytes.length < BYTES) return null
  return {
    requests: bytes.readUInt32LE(8),
    inFlightCount: bytes.readUInt32LE(12),
    queued: bytes.readUInt32LE(16),
    countedMsAgo: Math.max(0, Math.round(Date.now() - bytes.readDoubleLE(0))),
  }
}
