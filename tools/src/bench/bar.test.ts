import { expect, test } from 'vitest'
import { judge, medianRatio, type FigureBar, type RateBar } from './bar.ts'
import type { ComparisonResult, Series } from './comparison.ts'
import type { Figure } from './statistics.ts'

const twoPeers: RateBar = {
  kind: 'rate',
  title: 'hello',
  work: 'hello',
  peers: ['gunicorn', 'uwsgi'],
  connections: [8],
  atLeast: 1.5,
}

test('a bar is met when the closest peer is passed by enough', () => {
  const works = [work({ havn: [300, 330], gunicorn: [100, 100], uwsgi: [200, 200] })]
  expect(judge([twoPeers], works)).toMatchObject([
    { word: 'met', outcomes: [{ connections: 8, peer: 'uwsgi', isMet: true }] },
  ])
  expect(judge([twoPeers], works)[0]!.outcomes[0]!.value).toBeCloseTo(1.575)
})

test('one peer that comes too close is enough to miss it', () => {
  const works = [work({ havn: [300], gunicorn: [100], uwsgi: [201] })]
  expect(judge([twoPeers], works)).toMatchObject([{ word: 'missed', outcomes: [{ peer: 'uwsgi' }] }])
})

test('exactly as much meets "at least" and misses "ahead of"', () => {
  const works = [work({ havn: [150], gunicorn: [100], uwsgi: [100] })]
  expect(judge([twoPeers], works)[0]!.word).toBe('met')
  expect(judge([{ ...twoPeers, isExclusive: true }], works)[0]!.word).toBe('missed')
})

test('what was not measured is never met', () => {
  expect(judge([twoPeers], [])[0]).toMatchObject({ word: 'not measured', outcomes: [{ value: null }] })
  const lacksOne = [work({ havn: [300], gunicorn: [100] })]
  expect(judge([twoPeers], lacksOne)[0]!.word).toBe('not measured')
  const lacksAConcurrency = [work({ havn: [300], gunicorn: [100], uwsgi: [100] })]
  expect(judge([{ ...twoPeers, connections: [8, 32] }], lacksAConcurrency)[0]!.word).toBe('not measured')
})

test('a run that is void on either side counts for neither', () => {
  const voidOnce = [work({ havn: [300, 300], gunicorn: [100, 100], uwsgi: [null, 100] })]
  expect(judge([twoPeers], voidOnce)[0]).toMatchObject({ word: 'met', outcomes: [{ value: 3 }] })
  const alwaysVoid = [work({ havn: [null, null], gunicorn: [100, 100], uwsgi: [100, 100] })]
  expect(judge([twoPeers], alwaysVoid)[0]!.word).toBe('not measured')
})

test('figures are held against their bounds, in both directions', () => {
  const word = (figure: number, bound: FigureBar['bound']) =>
    judge([{ kind: 'figure', title: 'p99', format: String, figure: () => figure, bound }], [])[0]!.word
  expect(word(25, { atMost: 25 })).toBe('met')
  expect(word(25.1, { atMost: 25 })).toBe('missed')
  expect(word(0.6, { atLeast: 0.6 })).toBe('met')
  expect(word(0.59, { atLeast: 0.6 })).toBe('missed')
  expect(word(10, { atMostOf: () => 11 })).toBe('met')
  expect(word(10, { atMostOf: () => Number.NaN })).toBe('not measured')
  expect(word(Number.NaN, { atMost: 25 })).toBe('not measured')
})

test('a ratio of series that are not there is not a number', () => {
  expect(medianRatio(undefined, [1])).toBeNaN()
  expect(medianRatio([1], undefined)).toBeNaN()
})

function work(rates: Record<string, Figure[]>): ComparisonResult {
  const series = Object.entries(rates).map(([contender, values]): Series => ({
    contender,
    connections: 8,
    isDisturbed: false,
    rates: values,
    p50Ms: values,
    p99Ms: values,
    cpuUs: values,
    errors: values.filter((value) => value === null).length,
  }))
  return { work: 'hello', title: 'Hello', series, starts: [] }
}
