import { afterEach, describe, expect, it, vi } from 'vitest'
import { clearGauges, createCounters, openCounters, readCounters } from './counters.ts'
import { Dispatcher } from './dispatcher.ts'
import type { Job, Refusal, Worker } from './dispatcher.ts'
import type { Waiting } from './waiting-list.ts'
import { WorkerLoad, windowFor } from './worker-load.ts'

class TestJob implements Job<Worker> {
  previousWaiting: Waiting | null = null
  nextWaiting: Waiting | null = null
  waitingSince = 0
  readonly maxQueueMs: number
  worker: Worker | undefined
  queueMs: number | undefined
  refusal: Refusal | undefined

  constructor(maxQueueMs: number) {
    this.maxQueueMs = maxQueueMs
  }
  begin(worker: Worker, queueMs: number): void {
    this.worker = worker
    this.queueMs = queueMs
  }
  refuse(why: Refusal): void {
    this.refusal = why
  }
}

const workerOf = (threads: number): Worker => ({ load: new WorkerLoad(threads) })

function setUp({ maxQueue = 10, queueMs = 1_000 }: { maxQueue?: number; queueMs?: number } = {}) {
  const memory = createCounters(2)
  const counters = openCounters(memory, 0)
  const dispatcher = new Dispatcher<Worker>({ counters, maxQueue })
  const submit = (maxQueueMs = queueMs) => {
    const job = new TestJob(maxQueueMs)
    dispatcher.submit(job)
    return job
  }
  return { memory, dispatcher, submit }
}

describe('Dispatcher', () => {
  afterEach(() => {
    vi.useRealTimers()
  })

  it('spreads requests over workers, least loaded first', () => {
    const { dispatcher, submit } = setUp()
    const [a, b] = [workerOf(4), workerOf(4)]
    dispatcher.add(a)
    dispatcher.add(b)
    for (let n = 0; n < 4; n++) submit()
    expect([a.load.inFlight, b.load.inFlight]).toEqual([2, 2])
    dispatcher.finished(a)
    dispatcher.finished(a)
    expect(submit().worker).toBe(a)
  })

  it('gives idle workers equal shares', () => {
    const { dispatcher, submit } = setUp()
    const workers = [workerOf(4), workerOf(4), workerOf(4)]
    for (const worker of workers) dispatcher.add(worker)
    const shares = new Map<Worker | undefined, number>()
    for (let n = 0; n < 300; n++) {
      const { worker } = submit()
      shares.set(worker, (shares.get(worker) ?? 0) + 1)
      dispatcher.finished(worker as Worker)
    }
    expect(workers.map((worker) => shares.get(worker))).toEqual([100, 100, 100])
  })

  it('keeps requests in order of arrival until a worker has room', () => {
    const { dispatcher, submit, memory } = setUp()
    const jobs = [submit(), submit(), submit()]
    expect(readCounters(memory)).toMatchObject({ queued: 3, inFlight: 0 })
    const worker = workerOf(1)
    worker.load.window = 1
    dispatcher.add(worker)
    expect(jobs.map((job) => job.worker !== undefined)).toEqual([true, false, false])
    expect(jobs[0]?.queueMs).toBeGreaterThanOrEqual(0)
    worker.load.averageMs = 1_000
    dispatcher.finished(worker)
    expect(jobs.map((job) => job.worker !== undefined)).toEqual([true, true, false])
    expect(readCounters(memory)).toMatchObject({ queued: 1, inFlight: 1 })
  })

  it('refuses what is beyond the limit over all threads', () => {
    const { dispatcher, submit, memory } = setUp({ maxQueue: 2 })
    const other = new Dispatcher<Worker>({ counters: openCounters(memory, 1), maxQueue: 2 })
    other.submit(new TestJob(1_000))
    expect(submit().refusal).toBeUndefined()
    expect(submit().refusal).toBe('full')
    expect(readCounters(memory)).toMatchObject({ queued: 2, rejected: 1 })
    clearGauges(memory, 1)
    expect(submit().refusal).toBeUndefined()
    dispatcher.close()
    other.close()
  })

  it('refuses what waits too long, and not what came later', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    const { submit, memory } = setUp({ queueMs: 100 })
    const early = submit()
    vi.advanceTimersByTime(60)
    const late = submit()
    vi.advanceTimersByTime(41)
    expect([early.refusal, late.refusal]).toEqual(['timeout', undefined])
    vi.advanceTimersByTime(60)
    expect(late.refusal).toBe('timeout')
    expect(readCounters(memory)).toMatchObject({ queued: 0, timedOut: 2 })
  })

  it('refuses each after its own time, whoever came first', () => {
    vi.useFakeTimers()
    const { submit, memory } = setUp()
    const [long, short, shortest] = [submit(1_000), submit(100), submit(20)]
    const refusals = () => [long, short, shortest].map(({ refusal }) => refusal)
    vi.advanceTimersByTime(21)
    expect(refusals()).toEqual([undefined, undefined, 'timeout'])
    vi.advanceTimersByTime(80)
    expect(refusals()).toEqual([undefined, 'timeout', 'timeout'])
    vi.advanceTimersByTime(900)
    expect(refusals()).toEqual(['timeout', 'timeout', 'timeout'])
    expect(readCounters(memory)).toMatchObject({ queued: 0, timedOut: 3 })
  })

  it('takes out what is cancelled, from anywhere in the queue', () => {
    const { dispatcher, submit, memory } = setUp()
    const [first, second, third] = [submit(), submit(), submit()]
    expect(dispatcher.cancel(second)).toBe(true)
    expect(dispatcher.cancel(second)).toBe(false)
    expect(dispatcher.cancel(third)).toBe(true)
    dispatcher.add(workerOf(4))
    expect([first, second, third].map((job) => job.worker !== undefined)).toEqual([true, false, false])
    expect(readCounters(memory)).toMatchObject({ queued: 0, inFlight: 1 })
  })

  it('forgets a worker that is gone, and hands its place to another', () => {
    const { dispatcher, submit, memory } = setUp()
    const gone = workerOf(4)
    dispatcher.add(gone)
    submit()
    dispatcher.forget(gone)
    expect(readCounters(memory)).toMatchObject({ inFlight: 0 })
    const waiting = submit()
    expect(waiting.worker).toBeUndefined()
    const next = workerOf(4)
    dispatcher.add(next)
    expect(waiting.worker).toBe(next)
  })

  it('refuses everything once closed', () => {
    const { dispatcher, submit } = setUp()
    const waiting = submit()
    dispatcher.close()
    dispatcher.close()
    expect([waiting.refusal, submit().refusal]).toEqual(['closed', 'closed'])
  })
})

describe('windowFor', () => {
  it.each([
    [4, 0.05, 32],
    [4, 0.2, 20],
    [4, 1, 4],
    [4, 50, 4],
    [16, 50, 16],
    [1, 0.2, 20],
    [1, 3, 1],
    [1, 50, 1],
    [0, 50, Infinity],
  ])('%i threads, %d ms: %d', (threads, averageMs, window) => {
    expect(windowFor(threads, averageMs)).toBe(window)
  })

  it('follows the time between ends', () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    const load = new WorkerLoad(1)
    for (let n = 0; n < 200; n++) {
      load.begin()
      vi.advanceTimersByTime(10)
      load.end()
    }
    expect(load.averageMs).toBeCloseTo(10, 1)
    expect(load.window).toBe(1)
    vi.useRealTimers()
  })
})
