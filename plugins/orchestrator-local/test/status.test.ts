import { describe, expect, it } from 'vitest'
import { workloadSchema, type ProcessCondition } from '@havn/model'
import { createRelease, fixture } from './release.ts'
import { scene } from './scene.ts'

/** A process that says this of itself, or nothing. */
const telling = (...conditions: ProcessCondition[]) =>
  workloadSchema.parse({
    id: 'app',
    main: {
      id: 'app',
      program: { type: 'node', module: fixture('status') },
      args: conditions.map((condition) => JSON.stringify(condition)),
      probes: { startup: { type: 'ipc' } },
      status: 'ipc',
    },
  })

describe('the status', () => {
  it('has what a process says of its own processes and of its last reload', () =>
    scene({}, async ({ root, local, apply }) => {
      const lastFailure = { code: 'HAVN_ERR_APP_IMPORT', message: 'It breaks.' }
      const parts: ProcessCondition['parts'] = [
        { name: 'gateway process', pid: 7, state: 'ready', restarts: 0 },
        { name: 'worker 0', pid: null, state: 'waiting', restarts: 6, failures: 6, lastFailure },
      ]
      const lastReload = { at: '2026-01-01T00:00:00.000Z', durationMs: 12 }
      await apply(createRelease({ root, workloads: [telling({ parts, lastReload })] }))
      const answers = await Promise.all([local.status(), local.status()])
      for (const [status] of answers) expect(status).toMatchObject({ state: 'ready', parts, lastReload })
    }))

  it('comes without it where the process does not answer', () =>
    scene({}, async ({ root, local, apply }) => {
      await apply(createRelease({ root, workloads: [telling()] }))
      const [status] = await local.status()
      expect(status).toMatchObject({ state: 'ready', restarts: 0 })
      expect(status).not.toHaveProperty('parts')
    }))
})
