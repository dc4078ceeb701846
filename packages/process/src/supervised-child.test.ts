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
  expect(events).toContainEqual({ type: 'exited', record: expect.objectContaining({ expected: true }) })
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
