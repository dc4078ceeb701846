import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { frameType } from '../src/frames/index.ts'
import { TestHost, fetchFrom, startFront, until, type PythonFront } from './python-host-setup.ts'

const { HELLO, READY, PING, PONG, CANCEL } = frameType

/** A host of one thread that says what it has begun, as its test does. */
async function connectWithScoreboard(
  front: PythonFront,
): Promise<{ host: TestHost; begin(count: number): Promise<void> }> {
  const scoreboard = join(front.directory, 'scoreboard')
  const begin = (count: number) => {
    const slot = Buffer.alloc(64)
    slot.writeBigUInt64LE(BigInt(count), 16)
    return writeFile(scoreboard, slot)
  }
  await begin(0)
  const host = await TestHost.open(front)
  host.json(
    { type: HELLO },
    { protocol: 1, worker: 1, pid: process.pid, host: 'test', version: '1', scoreboard },
  )
  host.json({ type: READY }, { threads: 1, lifespan: 'off' })
  await until(() => front.ready.length === 1)
  return { host, begin }
}

describe('a host that is asked whether it lives', () => {
  it('does so as long as it answers', async () => {
    const front = await startFront('wsgi', { timeouts: { liveMs: 60 } })
    const host = await TestHost.connect(front)
    let pings = 0
    host.onFrame = ({ type, payload }) => {
      if (type !== PING) return
      pings += 1
      host.send({ type: PONG }, payload)
    }
    // Far more than a silent host is asked.
    await until(() => pings > 20)
    expect(front.stuck).toEqual([])
  })

  it('is given up when it is silent, and gets nothing more', async () => {
    const front = await startFront('wsgi', { timeouts: { liveMs: 60 } })
    const host = await TestHost.connect(front)
    await until(() => front.stuck.length > 0)
    expect(front.stuck).toMatchObject([
      { worker: 1, why: { pid: process.pid, reason: { cause: 'silence' } } },
    ])
    void fetchFrom(front).catch(() => {})
    await until(() => front.host.status().queued === 1)
    expect(host.streams).toEqual([])
  })

  it('is never asked where that is turned off', async () => {
    const front = await startFront('wsgi', { timeouts: { liveMs: 0 } })
    const host = await TestHost.connect(front)
    const answer = fetchFrom(front)
    host.answer((await host.stream()).id)
    await answer
    expect(host.frames.filter(({ type }) => type === PING)).toEqual([])
  })
})

describe('a request that is overdue', () => {
  const timeouts = { requestMs: 40, interruptMs: 80 }

  it('is no fault of a host that has not begun it', async () => {
    const front = await startFront('wsgi', { timeouts })
    const { host, begin } = await connectWithScoreboard(front)
    expect((await fetchFrom(front)).status).toBe(504)
    const { id } = await host.stream()
    await new Promise((resolve) => setTimeout(resolve, 3 * timeouts.interruptMs))
    expect(front.stuck).toEqual([])
    await begin(1)
    await until(() => front.stuck.length === 1)
    expect(front.stuck[0]?.why.reason).toMatchObject({
      cause: 'deadline',
      overdue: [{ path: '/', timeoutMs: 40 }],
    })
    expect(front.host.status().workers[0]).toMatchObject({ isStuck: true })
    host.send({ type: CANCEL, stream: id })
  })

  it('that ends in time costs nothing, again and again on the same stream', async () => {
    const front = await startFront('wsgi', { timeouts })
    const { host, begin } = await connectWithScoreboard(front)
    host.onFrame = ({ type, stream }) => {
      if (type === CANCEL) host.send({ type: CANCEL, stream })
    }
    for (let n = 1; n <= 6; n++) {
      await begin(n)
      expect((await fetchFrom(front)).status).toBe(504)
    }
    expect(front.stuck).toEqual([])
  })
})
