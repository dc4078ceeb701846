import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { startChild, type ManagedChild } from './start-child.ts'
import { SupervisedChild, type SupervisedEvent, type SupervisedOptions } from './supervised-child.ts'

const env = { PATH: process.env['PATH'] ?? '' }
const forever = 'setInterval(() => {}, 1e3)'

function supervise(code: string, options: Partial<SupervisedOptions> = {}) {
  const events: SupervisedEvent[] = []
  const child = new SupervisedChild({
    name: 'The child',
    start: () => startChild({ command: process.execPath, args: ['-e', code], env }),
    backoff: { firstMs: 10, maxMs: 40 },
    onEvent: (event) => events.push(event),
    ...options,
  })
  onTestFinished(() => child.stop({ signal: 'SIGKILL' }))
  return { child, events, types: () => events.map(({ type }) => type) }
}

async function until(condition: () => boolean): Promise<void> {
  for (let waited = 0; !condition(); waited += 10) {
    if (waited > 10_000) throw new Error('it did not happen')
    await sleep(10)
  }
}

test('a child that dies is started again', async () => {
  const { child, types } = supervise(forever)
  await child.start()
  const first = child.child as ManagedChild
  first.kill()
  await until(() => child.state === 'ready' && child.child !== first)
  expect(child.restarts).toBe(1)
  await child.stop()
  expect(child.state).toBe('stopped')
  expect(types()).toEqual(['starting', 'ready', 'exited', 'restarting', 'starting', 'ready', 'exited'])
})

test('one that dies before it is ready the first time is given up at once', async () => {
  const { child, types } = supervise('process.exit(9)', { ready: () => new Promise(() => {}) })
  await expect(child.start()).rejects.toMatchObject({
    code: 'HAVN_ERR_PROCESS_DIED',
    message: 'The child exited with code 9 before it was ready.',
  })
  expect(child.state).toBe('failed')
  expect(types()).toEqual(['starting', 'exited', 'failed'])
})

test('one that is not ready in time is ended', async () => {
  const { child, events } = supervise(forever, { ready: () => new Promise(() => {}), readyTimeoutMs: 50 })
  await expect(child.start()).rejects.toMatchObject({ code: 'HAVN_ERR_PROCESS_NOT_READY' })
  const record = expect.objectContaining({ expected: true })
  expect(events).toContainEqual(expect.objectContaining({ type: 'exited', record }))
  expect(child.child).toBeNull()
})

test('a later start that fails is tried again, later each time', async () => {
  let starts = 0
  const { child, events } = supervise(forever, {
    ready: async () => {
      starts += 1
      if (starts === 2 || starts === 3) throw new Error('not yet')
    },
  })
  await child.start()
  child.child!.kill()
  await until(() => starts === 4 && child.state === 'ready')
  const delays = events.flatMap((event) => (event.type === 'restarting' ? [event.delayMs] : []))
  expect(delays).toEqual([10, 20, 40])
  const within = events.flatMap((event) => (event.type === 'restarting' ? [event.withinMs] : []))
  expect(within[0]).toBe(0)
  expect(within[2]).toBeGreaterThanOrEqual(29)
  expect(events.filter(({ type }) => type === 'failed')).toHaveLength(2)
})

test('a stop during the start ends the child', async () => {
  const { child } = supervise(forever, { ready: () => new Promise(() => {}) })
  const started = child.start().catch((error: Error) => error.name)
  await until(() => child.child !== null)
  await child.stop()
  expect(await started).toBe('AbortError')
  expect(child.child).toBeNull()
  expect(child.state).toBe('stopped')
})

test('a stop during the wait before a restart starts nothing more', async () => {
  const { child } = supervise(forever, { backoff: { firstMs: 60_000, maxMs: 60_000 } })
  await child.start()
  child.child!.kill()
  await until(() => child.state === 'waiting')
  await child.stop()
  expect(child.child).toBeNull()
})

test('a child that its owner does not miss is not replaced', async () => {
  const { child } = supervise('setTimeout(() => {}, 50)', { shouldRestart: ({ code }) => code !== 0 })
  await child.start()
  await until(() => child.state === 'stopped')
  expect(child.restarts).toBe(0)
})

test('a successor takes over once it is ready; the one before finishes and ends', async () => {
  const finished: number[] = []
  const { child, events } = supervise(forever, { retire: ({ pid }) => finished.push(pid) })
  await child.start()
  const first = child.child as ManagedChild
  const { ended } = await child.replace()
  expect(child.child!.pid).not.toBe(first.pid)
  expect(finished).toEqual([first.pid])
  expect(await ended).toMatchObject({ pid: first.pid, expected: true })
  expect(child).toMatchObject({ state: 'ready', restarts: 0, failures: 0, retiring: [], successor: null })
  const replaced = { type: 'replaced', pid: child.child!.pid, previous: first.pid }
  expect(events).toContainEqual(expect.objectContaining(replaced))
})

test('a successor that does not get ready changes nothing', async () => {
  let starts = 0
  const { child, types } = supervise(forever, {
    ready: async () => {
      starts += 1
      if (starts === 2) throw new Error('not this one')
    },
  })
  await child.start()
  const first = child.child
  await expect(child.replace()).rejects.toThrow('not this one')
  expect(child).toMatchObject({ child: first, state: 'ready', restarts: 0, successor: null })
  expect(types()).not.toContain('failed')
  await child.replace()
  expect(child.child).not.toBe(first)
})

test('a child that dies while its successor starts is not started again', async () => {
  const gate = Promise.withResolvers<void>()
  let starts = 0
  const { child, types } = supervise(forever, {
    ready: async () => {
      starts += 1
      if (starts === 2) await gate.promise
    },
  })
  await child.start()
  const replaced = child.replace()
  await until(() => child.successor !== null)
  child.child!.kill()
  await until(() => child.child === null)
  gate.resolve()
  expect(await (await replaced).ended).toBeNull()
  expect(child).toMatchObject({ state: 'ready', restarts: 0 })
  expect(starts).toBe(2)
  child.child!.kill()
  await until(() => child.restarts === 1 && child.state === 'ready')
  expect(types().filter((type) => type === 'restarting')).toHaveLength(1)
})

test('a child that dies while its successor fails is started again', async () => {
  const gate = Promise.withResolvers<void>()
  let starts = 0
  const { child } = supervise(forever, {
    ready: async () => {
      starts += 1
      if (starts === 2) await gate.promise
    },
  })
  await child.start()
  const replaced = child.replace()
  await until(() => child.successor !== null)
  child.child!.kill()
  await until(() => child.child === null)
  gate.reject(new Error('not this one'))
  await expect(replaced).rejects.toThrow('not this one')
  await until(() => child.restarts === 1 && child.state === 'ready')
})

test('a successor ends the wait before a restart', async () => {
  const { child } = supervise(forever, { backoff: { firstMs: 60_000, maxMs: 60_000 } })
  await child.start()
  child.child!.kill()
  await until(() => child.state === 'waiting')
  await child.replace()
  expect(child).toMatchObject({ state: 'ready', failures: 0 })
  child.child!.kill()
  await until(() => child.state === 'waiting')
})

test('a stop ends a successor that starts, and whoever still finishes', async () => {
  const ignoring = "process.on('SIGTERM', () => {}); setInterval(() => {}, 1e3); console.log('up')"
  let heard = Promise.withResolvers<void>()
  let starts = 0
  const { child } = supervise(ignoring, {
    start: () => {
      heard = Promise.withResolvers()
      const args = ['-e', ignoring]
      return startChild({ command: process.execPath, args, env, onLine: () => heard.resolve() })
    },
    ready: () => {
      starts += 1
      return starts < 3 ? heard.promise : new Promise(() => {})
    },
    stop: { killMs: 600_000 },
  })
  await child.start()
  const { ended } = await child.replace()
  const failed = child.replace().catch((error: Error) => error.name)
  await until(() => child.successor !== null)
  expect(child.retiring).toHaveLength(1)
  await child.stop({ killMs: 1 })
  expect(await ended).toMatchObject({ signal: 'SIGKILL', expected: true })
  expect(await failed).toBe('AbortError')
  expect(child).toMatchObject({ state: 'stopped', child: null, successor: null, retiring: [] })
})

test('a replacement that is broken off leaves the child', async () => {
  let starts = 0
  const { child } = supervise(forever, {
    ready: () => (++starts === 2 ? new Promise(() => {}) : Promise.resolve()),
  })
  await child.start()
  const first = child.child
  const off = new AbortController()
  const replaced = child.replace({ signal: off.signal }).catch((error: Error) => error.name)
  await until(() => child.successor !== null)
  off.abort()
  expect(await replaced).toBe('AbortError')
  expect(child).toMatchObject({ child: first, state: 'ready', successor: null })
})
