import { expect, test } from 'vitest'
import { onThreadShutdown, runThreadShutdown } from './thread-shutdown.ts'

test('each function runs once; a failure is told and stops no other', async () => {
  const ran: string[] = []
  onThreadShutdown(() => void ran.push('first'))
  onThreadShutdown(() => {
    throw new Error('no')
  })
  onThreadShutdown(async () => void ran.push('last'))
  expect((await runThreadShutdown(1000)).map(String)).toEqual(['Error: no'])
  expect(await runThreadShutdown(1000)).toEqual([])
  expect(ran).toEqual(['first', 'last'])
})

test('one that never ends is not waited for', async () => {
  onThreadShutdown(() => new Promise(() => {}))
  expect((await runThreadShutdown(10)).map(String)).toEqual([
    "Error: the thread's shutdown took longer than 10 ms",
  ])
})
