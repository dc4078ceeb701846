import { expect, test } from 'vitest'
import { createLogger } from './logger.ts'
import { REDACTED, redact } from './redact.ts'

test.each([
  'authorization',
  'Proxy-Authorization',
  'cookie',
  'set-cookie',
  'password',
  'DB_PASSWORD',
  'passphrase',
  'SECRET_KEY',
  'clientSecret',
  'token',
  'accessToken',
  'csrftoken',
  'apiKey',
  'API_KEY',
  'x-api-key',
  'privateKey',
  'sessionid',
])('%s is a secret', (key) => {
  expect(redact({ [key]: 'hush' })).toEqual({ [key]: REDACTED })
})

test.each(['path', 'tokens', 'keyboard', 'author', 'passed', 'cookiePolicy', 'sessions'])(
  '%s is none',
  (key) => {
    const fields = { [key]: 'fine' }
    expect(redact(fields)).toBe(fields)
  },
)

test('secrets are found at depth, and the logged object stays as it was', () => {
  const fields = {
    request: { headers: { cookie: ['a=1', 'b=2'], accept: '*/*' } },
    env: [{ API_TOKEN: 'x' }],
    token: 3,
  }
  const before = structuredClone(fields)
  expect(redact(fields)).toEqual({
    request: { headers: { cookie: REDACTED, accept: '*/*' } },
    env: [{ API_TOKEN: REDACTED }],
    token: 3,
  })
  expect(fields).toEqual(before)
})

test('a logger redacts fields and errors, and survives what refers to itself', () => {
  let output = ''
  const destination = { write: (line: string) => void (output += line) }
  const logger = createLogger({ name: 'test', level: 'info', format: 'json', destination })
  const loop: Record<string, unknown> = { password: 'hush' }
  loop['self'] = loop
  logger.info({ headers: { authorization: 'Bearer hush' }, loop }, 'request')
  logger.error({ err: Object.assign(new Error('no'), { password: 'hush' }) }, 'failed')
  expect(output.trim().split('\n')).toHaveLength(2)
  expect(output).not.toContain('hush')
})
