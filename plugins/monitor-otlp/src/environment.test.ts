import { expect, test } from 'vitest'
import { HEADERS_FROM, resolveHeaders, toEnvironment } from './environment.ts'

test('what is set already stays, unless the configuration says otherwise', () => {
  const current = { OTEL_SERVICE_NAME: 'from-env', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }
  expect(toEnvironment({}, 'gateway', current)).toEqual(current)
  expect(toEnvironment({ serviceName: 'polls', protocol: 'http/json' }, 'gateway', current)).toEqual({
    OTEL_SERVICE_NAME: 'polls',
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
  })
})

test('without a word anywhere, a process is named after itself and speaks HTTP', () => {
  expect(toEnvironment({}, 'gateway', {})).toEqual({
    OTEL_SERVICE_NAME: 'gateway',
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
  })
})

test('secrets go by name, and become headers only where they are used', () => {
  const environment = toEnvironment({ headers: { authorization: 'TOKEN', 'x-team': 'TEAM' } }, 'gateway', {
    TOKEN: 'Bearer a,b=c',
  })
  expect(environment[HEADERS_FROM]).toBe('authorization=TOKEN,x-team=TEAM')
  expect(JSON.stringify(environment)).not.toContain('Bearer')

  const inProcess = { ...environment, TOKEN: 'Bearer a,b=c', OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=1' }
  expect(resolveHeaders(inProcess)).toBe('x-tenant=1,authorization=Bearer%20a%2Cb%3Dc')
  expect(resolveHeaders({ OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=1' })).toBeUndefined()
})
