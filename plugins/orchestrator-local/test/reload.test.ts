import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { workloadSchema } from '@havn/model'
import { createRelease, fixture, serving } from './release.ts'
import { errorOf, scene } from './scene.ts'

const signal = () => AbortSignal.timeout(30_000)

/** A process that answers its reloads with these messages. */
const reloading = (...messages: object[]) =>
  workloadSchema.parse({
    id: 'app',
    main: {
      id: 'app',
      program: { type: 'node', module: fixture('reload') },
      args: messages.map((message) => JSON.stringify(message)),
      probes: { startup: { type: 'ipc' } },
      reload: { type: 'signal', signal: 'SIGHUP', answer: 'ipc' },
    },
  })

describe('reloading', () => {
  it('waits for what each process says of it', () =>
    scene({}, async ({ root, local, apply, of }) => {
      const error = { code: 'HAVN_ERR_APP_IMPORT', message: 'It breaks.', hint: 'h', kind: 'user', exit: 1 }
      const workloads = [reloading({ type: 'reloaded' }, { type: 'reloaded', error }, { type: 'reloaded' })]
      await apply(createRelease({ root, workloads }))
      const before = await local.status()
      const [first, second] = await Promise.allSettled([local.reload(signal()), local.reload(signal())])
      expect(first.status).toBe('fulfilled')
      expect(second).toMatchObject({ status: 'rejected', reason: { code: 'HAVN_ERR_APP_IMPORT' } })
      await local.reload(signal())
      expect(of('process.reloaded').map(({ ok }) => ok)).toEqual([true, false, true])
      expect(await local.status()).toEqual(before)
      expect((await errorOf(local.reload(signal()))).code).toBe('HAVN_ERR_LOCAL_RELOAD_LOST')
    }))

  it('leaves alone what cannot, and says when nothing can', () =>
    scene({}, async ({ root, local, apply }) => {
      expect((await errorOf(local.reload(signal()))).code).toBe('HAVN_ERR_LOCAL_RELOAD')
      const app = serving(join(root, 'a.sock'), 'a', { args: [join(root, 'a.sock'), 'a', '0'] })
      await apply(createRelease({ root, workloads: [{ ...app, id: 'front' }] }))
      const error = await errorOf(local.reload(signal()))
      expect(error.message).toBe('No process of the release can reload: front.')
    }))

  it('is broken off by its signal', () =>
    scene({}, async ({ root, local, apply }) => {
      await apply(createRelease({ root, workloads: [reloading({ type: 'something else' })] }))
      const reason = await errorOf(local.reload(AbortSignal.timeout(300)))
      expect(reason.name).toBe('TimeoutError')
    }))
})
