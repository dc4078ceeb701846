import { describe, expect, it } from 'vitest'
import { workloadSchema } from '@havn/model'
import type { WorkloadInput } from '@havn/model'
import { planLocal } from '../src/plan.ts'
import { createRelease } from './release.ts'

const program = { type: 'command', path: 'serve' } as const
const socket = (name: string) =>
  ({ endpoint: name, address: { type: 'unix', path: `/run/${name}.sock` } }) as const

const app: WorkloadInput = {
  id: 'app',
  main: { id: 'app', program, listens: [socket('app')] },
  sidecars: [{ id: 'cache', program, listens: [socket('cache')] }],
}
const edge: WorkloadInput = {
  id: 'edge',
  main: { id: 'edge', program, listens: [socket('public')], uses: ['app'] },
}
const queue: WorkloadInput = {
  id: 'queue',
  replicas: 2,
  main: { id: 'queue', program, uses: ['database', 'cache'] },
}
const files = [{ path: 'edge.json', content: '{}' }]

const first = createRelease({ id: 'first', root: '/srv/sample', workloads: [edge, queue, app], files })
const second = createRelease({
  id: 'second',
  root: '/srv/sample',
  workloads: [app],
  files: [{ path: 'app.json', content: '{}' }],
})

describe('the plan', () => {
  it.each([
    ['start', first, null],
    ['unchanged', first, first],
    ['replace', second, first],
  ])('is the golden one: %s', async (name, release, current) => {
    const text = JSON.stringify(planLocal(release, current), null, 2) + '\n'
    await expect(text).toMatchFileSnapshot(`golden/${name}.json`)
  })

  it.each([
    ['waits for itself', { uses: ['public'], listens: [socket('public')] }, /wait for each other: edge/],
    ['mounts', { mounts: [{ source: '/a', target: '/b' }] }, /edge asks for mounts/],
    ['another user', { user: 'www-data' }, /edge asks for the user www-data/],
    [
      'a descriptor',
      { listens: [{ ...socket('public'), by: 'descriptor' as const }] },
      /a listening descriptor/,
    ],
  ])('refuses %s', (_, main, words) => {
    const workload = workloadSchema.parse({ id: 'edge', main: { id: 'edge', program, ...main } })
    expect(() => planLocal(createRelease({ root: '/srv', workloads: [workload] }), null)).toThrow(words)
  })

  it('refuses replicas that would share an address', () => {
    const release = createRelease({ root: '/srv', workloads: [{ ...app, replicas: 2 }] })
    expect(() => planLocal(release, null)).toThrow(/app cannot run 2 times.*unix:\/run\/app\.sock/)
  })

  it('refuses an image', () => {
    const source = { type: 'image', reference: 'polls:1', digest: 'sha256:00' } as const
    expect(() => planLocal({ ...first, source }, null)).toThrow(/the image polls:1/)
  })
})
