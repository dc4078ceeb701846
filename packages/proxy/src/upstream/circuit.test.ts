import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Circuit } from './circuit.ts'

const config = { failures: 2, statuses: [], openMs: 100, maxOpenMs: 350 }

it('opens after failures in a row, and only then', () => {
  const circuit = new Circuit()
  expect(circuit.failed(0, false, config)).toBe(0)
  circuit.succeeded()
  expect(circuit.failed(0, false, config)).toBe(0)
  expect(circuit.allows(0)).toBe(true)
  expect(circuit.failed(0, false, config)).toBe(100)
  expect(circuit.allows(99)).toBe(false)
})

it('lets one request try, and closes when that succeeds', () => {
  const circuit = new Circuit()
  for (let n = 0; n < 2; n++) circuit.failed(0, false, config)
  expect(circuit.begin(99)).toBe(false)
  expect(circuit.allows(100)).toBe(true)
  expect(circuit.begin(100)).toBe(true)
  expect(circuit.allows(100)).toBe(false)
  expect(circuit.begin(100)).toBe(false)
  expect(circuit.succeeded()).toBe(true)
  expect(circuit.allows(100)).toBe(true)
  expect(circuit.begin(100)).toBe(false)
})

it('stays open twice as long each time that fails, up to a limit', () => {
  const circuit = new Circuit()
  circuit.failed(0, false, config)
  let now = 0
  const whiles = [circuit.failed(now, false, config)]
  for (let n = 0; n < 50; n++) {
    now += circuit.waitMs(now)
    expect(circuit.begin(now)).toBe(true)
    whiles.push(circuit.failed(now, true, config))
  }
  expect(whiles.slice(0, 4)).toEqual([100, 200, 350, 350])
  expect(whiles.at(-1)).toBe(350)
})

it('is not opened further by requests that began before, and lets another try when the one that tried is gone', () => {
  const circuit = new Circuit()
  for (let n = 0; n < 2; n++) circuit.failed(0, false, config)
  expect(circuit.failed(90, false, config)).toBe(0)
  expect(circuit.begin(100)).toBe(true)
  expect(circuit.failed(101, false, config)).toBe(0)
  circuit.abandoned()
  expect(circuit.begin(102)).toBe(true)
})

it('never stays shut for good, whatever happens to it', () => {
  const events = fc.array(fc.constantFrom('begin', 'failed', 'succeeded', 'abandoned'), { maxLength: 60 })
  fc.assert(
    fc.property(events, (happened) => {
      const circuit = new Circuit()
      let now = 0
      let isProbe = false
      for (const event of happened) {
        now += 40
        if (event === 'begin') isProbe ||= circuit.begin(now)
        else if (event === 'failed') circuit.failed(now, isProbe, config)
        else if (event === 'succeeded') circuit.succeeded()
        else if (isProbe) circuit.abandoned()
        if (event !== 'begin') isProbe = false
      }
      if (isProbe) circuit.abandoned()
      expect(circuit.waitMs(now)).toBeLessThanOrEqual(config.maxOpenMs)
      expect(circuit.allows(now + config.maxOpenMs)).toBe(true)
    }),
  )
})
