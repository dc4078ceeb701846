import { defineErrors } from '@havn/model/errors'
import { expect, test } from 'vitest'
import { createLogger } from './logger.ts'
import type { LoggerOptions } from './logger.ts'

function logged(
  write: (logger: ReturnType<typeof createLogger>) => void,
  options: Partial<LoggerOptions> = {},
) {
  let output = ''
  const destination = { write: (line: string) => void (output += line) }
  write(createLogger({ name: 'gateway', level: 'info', format: 'text', destination, ...options }))
  // The time of day is the machine's.
  return output.replace(/^\d\d:\d\d:\d\d/gm, '12:01:02')
}

test('a message is one line', () => {
  expect(logged((logger) => logger.info({ url: 'http://127.0.0.1:8000/', threads: 2 }, 'listening'))).toBe(
    '12:01:02 info  gateway  listening url=http://127.0.0.1:8000/ threads=2\n',
  )
  expect(logged((logger) => logger.debug('not at this level'))).toBe('')
  expect(logged((logger) => logger.warn({ why: 'two words' }, 'slow'), { fields: { thread: 1 } })).toBe(
    '12:01:02 warn  gateway  slow thread=1 why="two words"\n',
  )
})

test('an access line is for people', () => {
  const fields = {
    event: 'request',
    method: 'GET',
    path: '/polls/',
    status: 200,
    durationMs: 3.4123,
    worker: 2,
  }
  expect(logged((logger) => logger.info({ ...fields, client: '127.0.0.1', requestId: 'a-1' }))).toBe(
    '12:01:02 GET /polls/ 200 3.4 ms\n',
  )
})

test('a traceback stands whole and indented', () => {
  const traceback = 'Traceback (most recent call last):\n  File "app.py", line 1\nValueError: é'
  expect(logged((logger) => logger.error({ worker: 1, traceback }, 'the app failed'))).toBe(
    '12:01:02 error gateway  the app failed worker=1\n' +
      '  traceback:\n' +
      '    Traceback (most recent call last):\n' +
      '      File "app.py", line 1\n' +
      '    ValueError: é\n',
  )
})

test('an error of the user’s shows what to change, and no stack of ours', () => {
  const errors = defineErrors({
    HAVN_ERR_TEST_PORT_TAKEN: {
      kind: 'user',
      message: () => 'Port 8000 is in use.',
      hint: 'Choose another.',
    },
  })
  const err = errors.HAVN_ERR_TEST_PORT_TAKEN(undefined as never, { detail: 'pid 12\nheld by nginx' })
  expect(logged((logger) => logger.error({ err }, 'cannot listen'))).toBe(
    '12:01:02 error gateway  cannot listen\n' +
      '    Port 8000 is in use. (HAVN_ERR_TEST_PORT_TAKEN)\n' +
      '    Choose another.\n' +
      '    pid 12\n' +
      '    held by nginx\n',
  )
  expect(logged((logger) => logger.error({ err }, 'cannot listen'), { format: 'json' })).not.toContain(
    'stack',
  )
})

test('an error of our own shows its stack and its causes', () => {
  const err = new TypeError('outer', { cause: new Error('inner') })
  const output = logged((logger) => logger.error({ err }, 'failed'))
  expect(output).toContain('    TypeError: outer\n        at ')
  expect(output).toContain('    caused by:\n    Error: inner\n')
})

test('control characters cannot drive a terminal', () => {
  const output = logged((logger) =>
    logger.info({ event: 'request', method: 'GET', path: '/\x1b[2J\x9b1m', name: 'a\x07' }),
  )
  expect(output).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/)
  expect(output).toContain('/\\x1b[2J\\x9b1m')
})

test('colours only where they are asked for', () => {
  expect(logged((logger) => logger.error('no'), { color: true })).toContain('\x1b[31merror\x1b[0m')
  expect(logged((logger) => logger.error('no'))).not.toContain('\x1b')
})
