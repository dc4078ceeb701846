/** One thing that each thread counts. Gauges go up and down; the others only up, modulo 2³². */
export const counter = {
  /** Gauge: requests that wait for a worker. */
  queued: 0,
  /** Gauge: requests that a worker has and has not finished. */
  inFlight: 1,
  /** Gauge: open websockets. */
  webSockets: 2,
  /** Gauge: client connections. */
  connections: 3,
  /** Requests that arrived. */
  requests: 4,
  /** Refused because the queue was full. */
  rejected: 5,
  /** Refused because they waited too long. */
  timedOut: 6,
  /** Clients that left before their answer was complete. */
  cancelled: 7,
  /** Answered 500–599 by the gateway itself, because of a worker or an app. */
  failed: 8,
  /** Given to another worker, because the one that had it died before its app saw it. */
  retried: 9,
  /** Connections that were closed for being beyond the limit of all. */
  refusedConnections: 10,
  /** Connections that were closed for being beyond the limit of their client. */
  refusedClients: 11,
  /** Requests beyond a rate. */
  refusedRates: 12,
  /** Requests with too large a body. */
  refusedBodies: 13,
  /** Requests with too long a target. */
  refusedTargets: 14,
  /** Requests with too many headers, or too large ones. */
  refusedHeaders: 15,
  /** Clients that were too slow: with a head, a body, or in taking an answer. */
  refusedSlow: 16,
  /** Requests that took longer than their total time. */
  refusedOverdue: 17,
  /** Requests that have no single reading, or ask for what is not spoken here. */
  refusedMalformed: 18,
} as const

export type CounterName = keyof typeof counter
export type CounterIndex = (typeof counter)[CounterName]

/** A row a thread, two cache lines each: threads never write to each other's memory. */
const rowLength = 32
/** A column of its own: how often the thread's event loop was seen to turn. */
const beats = rowLength - 1
const gauges: readonly CounterIndex[] = [
  counter.queued,
  counter.inFlight,
  counter.webSockets,
  counter.connections,
]

/** One thread's row of a table of counters. */
export interface Counters {
  readonly table: Int32Array
  readonly row: number
}

/** Memory for the counters of this many threads; share it with each of them. */
export function createCounters(threads: number): SharedArrayBuffer {
  return new SharedArrayBuffer(threads * rowLength * Int32Array.BYTES_PER_ELEMENT)
}

/** A thread's own row, to count with. Threads are numbered from 0. */
export function openCounters(memory: SharedArrayBuffer, thread = 0): Counters {
  const table = new Int32Array(memory)
  const row = thread * rowLength
  if (row + rowLength > table.length) throw new RangeError(`There are no counters for thread ${thread}.`)
  return { table, row }
}

/** Adds to one counter of this thread. */
export function count(counters: Counters, index: CounterIndex, change = 1): void {
  Atomics.add(counters.table, counters.row + index, change)
}

/** Shows that this thread's event loop turns. */
export function beat({ table, row }: Counters): void {
  Atomics.add(table, row + beats, 1)
}

/** How often a thread has shown that its event loop turns, modulo 2³². */
export function beatsOf({ table, row }: Counters): number {
  return Atomics.load(table, row + beats)
}

/** The sum of one counter over all threads. */
export function totalOf(counters: Counters, index: CounterIndex): number {
  let total = 0
  for (let at = index; at < counters.table.length; at += rowLength) total += Atomics.load(counters.table, at)
  return total >>> 0
}

/** All sums, by name: what metrics and the control API read. */
export function readCounters(memory: SharedArrayBuffer): Record<CounterName, number> {
  const counters = openCounters(memory)
  const totals = zeroCounters()
  for (const name of Object.keys(counter) as CounterName[]) totals[name] = totalOf(counters, counter[name])
  return totals
}

/** What one thread has counted, by name. */
export function readRow({ table, row }: Counters): Record<CounterName, number> {
  const counts = zeroCounters()
  for (const name of Object.keys(counter) as CounterName[]) {
    counts[name] = Atomics.load(table, row + counter[name]) >>> 0
  }
  return counts
}

/** Sums of nothing. */
export function zeroCounters(): Record<CounterName, number> {
  return Object.fromEntries(Object.keys(counter).map((name) => [name, 0])) as Record<CounterName, number>
}

/** Adds sums that were counted elsewhere. */
export function addCounters(
  sums: Record<CounterName, number>,
  more: Readonly<Partial<Record<CounterName, number>>>,
): void {
  for (const name of Object.keys(more) as CounterName[]) sums[name] += more[name] ?? 0
}

/** What stays counted when those who counted are gone. */
export function withoutGauges(sums: Readonly<Record<CounterName, number>>): Record<CounterName, number> {
  const kept = { ...sums }
  for (const name of Object.keys(counter) as CounterName[]) {
    if (gauges.includes(counter[name])) kept[name] = 0
  }
  return kept
}

/** Takes back what a thread that has ended still held, so that its gauges don't limit the others. */
export function clearGauges(memory: SharedArrayBuffer, thread: number): void {
  const { table, row } = openCounters(memory, thread)
  for (const index of gauges) Atomics.store(table, row + index, 0)
}
