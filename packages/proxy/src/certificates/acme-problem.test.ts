import { expect, test } from 'vitest'
import { AcmeProblem, explain, type Step } from './acme-problem.ts'

test.each<[string, Step, string]>([
  // Let's Encrypt says what pebble does not: that a name leads nowhere, and that it was asked too often.
  ['dns', 'order', 'HAVN_ERR_ACME_DNS'],
  ['rateLimited', 'account', 'HAVN_ERR_ACME_RATE_LIMITED'],
  ['rateLimited', 'order', 'HAVN_ERR_ACME_RATE_LIMITED'],
  ['caa', 'order', 'HAVN_ERR_ACME_REFUSED'],
  ['serverInternal', 'order', 'HAVN_ERR_ACME_UNREACHABLE'],
  ['unauthorized', 'account', 'HAVN_ERR_ACME_ACCOUNT'],
  ['unauthorized', 'order', 'HAVN_ERR_ACME_ANSWER'],
])('a problem %s about the %s is %s', (type, step, code) => {
  const problem = new AcmeProblem({ type: `urn:ietf:params:acme:error:${type}`, detail: 'why' }, null)
  const error = explain(problem, step, ['shop.test'], 'https://acme.test/dir')
  expect(error).toMatchObject({ code, message: expect.stringContaining('why'), cause: problem })
  expect(explain(error, step, [], '')).toBe(error)
})
