import { expect, it } from 'vitest'
import { nearestNames } from './nearest-name.ts'

const names = ['workers', 'workerThreads', 'threads', 'timeouts', 'log']

it.each([
  ['wokrers', ['workers']],
  ['thread', ['threads']],
  ['worker', ['workers', 'workerThreads']],
  ['Timeouts', ['timeouts']],
  ['lgo', ['log']],
  ['database', []],
])('%s means %j', (typed, meant) => {
  expect(nearestNames(typed, names)).toEqual(meant)
})
