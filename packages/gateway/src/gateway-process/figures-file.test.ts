import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { zeroCounters } from '../dispatch/counters.ts'
import { FiguresFile, readFigures } from './figures-file.ts'

async function temporaryPath(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'havn-figures-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  return join(directory, 'figures')
}

test('what was written last stays, also once it is closed', async () => {
  const path = await temporaryPath()
  const counters = zeroCounters()
  const file = new FiguresFile(path, () => counters)
  expect(readFigures(path)).toBeNull()
  file.start()
  Object.assign(counters, { requests: 2 ** 32 - 1, inFlight: 3, queued: 5 })
  file.write()
  file.close()
  file.close()
  counters.requests = 1
  file.write()
  expect(readFigures(path)).toEqual({
    requests: 2 ** 32 - 1,
    inFlightCount: 3,
    queued: 5,
    countedMsAgo: expect.any(Number),
  })
})

test('no file, and half of one, are nothing known', async () => {
  const path = await temporaryPath()
  expect(readFigures(path)).toBeNull()
  await writeFile(path, Buffer.alloc(7))
  expect(readFigures(path)).toBeNull()
})

test('a folder that is gone hinders nobody', () => {
  const file = new FiguresFile('/no/such/folder/figures', zeroCounters)
  file.start()
  file.close()
})
