import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { createShutdownSignals } from './shutdown-signals.ts'

function listen(sameWishMs: number): string[] {
  const seen: string[] = []
  const signals = createShutdownSignals({
    signals: ['SIGUSR2'],
    sameWishMs,
    onStop: (signal) => seen.push(`stop ${signal}`),
    onForce: (signal) => seen.push(`force ${signal}`),
  })
  onTestFinished(() => signals.close())
  return seen
}

async function send(): Promise<void> {
  const received = new Promise((resolve) => process.once('SIGUSR2', resolve))
  process.kill(process.pid, 'SIGUSR2')
  await received
}

test('a signal that arrives twice at once counts once', async () => {
  const seen = listen(60_000)
  await send()
  await send()
  expect(seen).toEqual(['stop SIGUSR2'])
})

test('a later one forces', async () => {
  const seen = listen(50)
  await send()
  await sleep(80)
  await send()
  expect(seen).toEqual(['stop SIGUSR2', 'force SIGUSR2'])
})
