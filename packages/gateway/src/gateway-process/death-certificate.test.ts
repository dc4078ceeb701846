import { expect, it } from 'vitest'
import { createDeathCertificate, toFailureReason, type DeathEvidence } from './death-certificate.ts'

const inFlight = [{ id: 'a-1', method: 'GET', path: '/polls/', ageMs: 40, begun: true }]
const evidence: DeathEvidence = {
  event: 'worker.exited',
  worker: 1,
  thread: 0,
  record: { pid: 7, code: null, signal: 'SIGKILL', uptimeMs: 1_200 },
  restarts: 2,
  figures: { requests: 31, queued: 3 },
  inFlight,
}
const error = {
  code: 'HAVN_ERR_HOST_PROTOCOL',
  message: 'A host broke the host protocol.',
  hint: '',
  kind: 'system',
  exit: 1,
  detail: 'at app.ts:1',
} as const

it('tells what is known, and names what is not', () => {
  expect(createDeathCertificate(evidence)).toEqual({
    event: 'worker.exited',
    worker: 1,
    thread: 0,
    pid: 7,
    code: null,
    signal: 'SIGKILL',
    cause: 'signal',
    uptimeMs: 1_200,
    restarts: 2,
    requests: 31,
    inFlight,
    inFlightCount: 1,
    queued: 3,
    memory: 'unknown',
  })
  const { record } = evidence
  expect(createDeathCertificate({ event: 'gateway.exited', record, restarts: 0, figures: null })).toEqual({
    event: 'gateway.exited',
    pid: 7,
    code: null,
    signal: 'SIGKILL',
    cause: 'signal',
    uptimeMs: 1_200,
    restarts: 0,
    requests: 'unknown',
    inFlight: 'unknown',
    inFlightCount: 'unknown',
    queued: 'unknown',
    memory: 'unknown',
  })
})

it('says how old its figures are, where they are not of the end', () => {
  const figures = { requests: 9, inFlightCount: 2, queued: 0, countedMsAgo: 700 }
  expect(createDeathCertificate({ ...evidence, figures, inFlight: null })).toMatchObject({
    ...figures,
    inFlight: 'unknown',
  })
})

it('says who ended it', () => {
  const exited = { ...evidence.record, code: 7, signal: null }
  expect(createDeathCertificate({ ...evidence, record: exited }).cause).toBe('exit')
  const seen = { code: error.code, message: error.message }
  expect(createDeathCertificate({ ...evidence, broken: error })).toMatchObject({
    cause: 'protocol',
    error: seen,
  })
  expect(createDeathCertificate({ ...evidence, failed: error })).toMatchObject({
    cause: 'failed',
    error: seen,
    stacks: 'at app.ts:1',
  })
  const stuck = { cause: 'silence', silentMs: 30_000 } as const
  expect(createDeathCertificate({ ...evidence, stuck })).toMatchObject({ cause: 'silence', stuck })
  const words = { reason: 'uncaught', message: 'no such poll', stack: 'at views.ts:3' } as const
  expect(createDeathCertificate({ ...evidence, words })).toMatchObject({
    cause: 'uncaught',
    message: 'no such poll',
    stacks: 'at views.ts:3',
  })
  const report = { event: 'JavaScript heap out of memory', stack: '' }
  const fatal = createDeathCertificate({ ...evidence, report })
  expect(fatal).toMatchObject({ cause: 'fatal', message: 'JavaScript heap out of memory' })
  expect(fatal).not.toHaveProperty('stacks')
})

it('is a line for who asks how it ended', () => {
  const reasonOf = (more: Partial<DeathEvidence>) =>
    toFailureReason(createDeathCertificate({ ...evidence, ...more }))
  expect(reasonOf({})).toEqual({ message: 'It was killed by SIGKILL.' })
  expect(reasonOf({ failed: error })).toEqual({ code: error.code, message: error.message })
  expect(reasonOf({ stuck: { cause: 'blocked', blockedMs: 900 } })).toEqual({
    message: 'Its event loop was blocked for 900 ms.',
  })
})
