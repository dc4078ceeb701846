import { expect, test } from 'vitest'
import { defineAsgi, defineFetch, defineNode, defineWsgi, interfaceOf } from './interface.ts'

test('a mark says what an app is, across copies of this package', () => {
  expect(interfaceOf(defineWsgi(() => []))).toBe('wsgi')
  expect(interfaceOf(defineAsgi(async () => {}))).toBe('asgi')
  expect(interfaceOf(defineFetch(() => new Response()))).toBe('fetch')
  expect(interfaceOf(defineNode(() => {}))).toBe('node')
  expect(interfaceOf(Object.assign(() => {}, { [Symbol.for('havn.interface')]: 'asgi' }))).toBe('asgi')
})

test('without a mark: an object with fetch, then any function, then nothing', () => {
  expect(interfaceOf({ fetch: () => new Response() })).toBe('fetch')
  expect(interfaceOf(Object.assign(() => {}, { fetch() {} }))).toBe('fetch')
  expect(interfaceOf(() => {})).toBe('node')
  for (const value of [undefined, null, 'app', 1, {}, { fetch: true }])
    expect(interfaceOf(value)).toBe(undefined)
})
