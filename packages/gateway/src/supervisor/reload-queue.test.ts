import { expect, test } from 'vitest'
import { ReloadQueue } from './reload-queue.ts'

interface Run {
  wish: object
  end: PromiseWithResolvers<void>
}

function createQueue() {
  const runs: Run[] = []
  const queue = new ReloadQueue<object>((wish) => {
    const end = Promise.withResolvers<void>()
    runs.push({ wish, end })
    return end.promise
  })
  return { queue, runs }
}

test('those that come while one runs become one that follows it', async () => {
  const { queue, runs } = createQueue()
  const first = queue.request({})
  const second = queue.request({ process: true })
  const third = queue.request({ env: 'b' })
  expect(runs).toHaveLength(1)
  runs[0]!.end.resolve()
  await first
  expect(runs).toHaveLength(2)
  expect(runs[1]!.wish).toEqual({ process: true, env: 'b' })
  runs[1]!.end.reject(new Error('it does not boot'))
  await expect(second).rejects.toThrow('it does not boot')
  await expect(third).rejects.toThrow('it does not boot')
  expect(queue.isRunning).toBe(false)
})

test('a failure is of the run that failed alone', async () => {
  const { queue, runs } = createQueue()
  const first = queue.request({})
  const second = queue.request({})
  runs[0]!.end.reject(new Error('the first'))
  await expect(first).rejects.toThrow('the first')
  runs[1]!.end.resolve()
  await second
})
