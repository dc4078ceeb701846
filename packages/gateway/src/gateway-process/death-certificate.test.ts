import { expect, it } from 'vitest'
import { createDeathCertificate, type DeathEvidence } from './death-certificate.ts'

const evidence: DeathEvidence = {
  worker: 1,
  thread: 0,
  record: { pid: 7, code: null, signal: 'SIGKILL', expected: false, uptimeMs: 1_200 },
  restarts: 2,
  requests: 31,
  lastSight: {
    inFlight: [{ id: 'a-1', method: 'GET', path: '/polls/', ageMs: 40, begun: true }],
    queued: 3,
  },
  memory: 'unknown',
  stuck: null,
  error: null,
  stacks: undefined,
}

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
    inFlight: [{ id: 'a-1', method: 'GET', path: '/polls/', ageMs: 40, begun: true }],
    queued: 3,
    memory: 'unknown',
  })
  expect(createDeathCertificate({ ...evidence, lastSight: null })).toMatchObject({
    inFlight: 'unknown',
    queued: 'unknown',
  })
})

it('says who ended it', () => {
  const exited = { ...evidence.record, code: 7, signal: null }
  expect(createDeathCertificate({ ...evidence, record: exited }).cause).toBe('exit')
  const error = {
    code: 'HAVN_ERR_HOST_PROTOCOL',
    message: 'A host broke the host protocol.',
    hint: '',
    kind: 'system',
    exit: 1,
  } as const
  expect(createDeathCertificate({ ...evidence, error })).toMatchObject({
    cause: 'protocol',
    error: { code: 'HAVN_ERR_HOST_PROTOCOL', message: 'A host broke the host protocol.' },
  })
  const stuck = { cause: 'silence', silentMs: 30_000 } as const
  expect(createDeathCertificate({ ...evidence, stuck })).toMatchObject({ cause: 'silence', stuck })
})
