import { expect, test } from 'vitest'
import { HavnError } from '@havn/model/errors'
import { RecordedTerminal } from '../../test/recorded-terminal.ts'
import { printError } from './print-error.ts'

const error = new HavnError({
  code: 'HAVN_ERR_SAMPLE',
  message: 'shop.wsgi does not import.\nIt lies in /srv/shop.',
  hint: 'Mend it.\nThen try again.',
  kind: 'user',
  exit: 2,
  detail: 'Traceback (most recent call last):\n  File "shop.py", line 1\nNameError: x\n',
})

test('code, what was seen, foreign words whole, what to change', async () => {
  const terminal = new RecordedTerminal()
  expect(printError(error, terminal)).toBe(2)
  expect(terminal.out).toBe('')
  await expect(terminal.err).toMatchFileSnapshot('../../test/golden/error.txt')
})

test('colours for a person', () => {
  const terminal = new RecordedTerminal({ isTerminal: true, isColored: true })
  printError(error, terminal)
  expect(terminal.err).toContain('\u001b[31merror\u001b[39m \u001b[1mHAVN_ERR_SAMPLE\u001b[22m: shop.wsgi')
})

test('JSON goes to stdout, and nothing to stderr', () => {
  const terminal = new RecordedTerminal()
  expect(printError(error, terminal, true)).toBe(2)
  expect(terminal.err).toBe('')
  expect(JSON.parse(terminal.out)).toEqual({ error: error.toJSON() })
})

test('an error of ours shows its stack and asks for a report', () => {
  const terminal = new RecordedTerminal()
  expect(printError(new RangeError('off by one'), terminal)).toBe(1)
  expect(terminal.err).toMatch(
    /^error HAVN_ERR_INTERNAL: off by one\n\n {4}RangeError[^]*\n {4,}at [^]*fix.*report/,
  )
})
