import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createRelease, nodeJob } from './release.ts'
import { errorOf, scene } from './scene.ts'

const says = 'console.log(process.env.WHAT ?? "nothing")'

describe('a job', () => {
  it("runs in the app's folder with its own variables, and is told of line by line", () =>
    scene({}, async ({ root, run, events }) => {
      const job = nodeJob('console.log(process.cwd()); console.error(process.env.WHAT)')
      job.process.env = { WHAT: 'that' }
      await run(job, createRelease({ root }))
      const [started, ...rest] = events
      const finished = rest.pop()
      expect(started).toEqual({ type: 'job.started', job: 'job', title: 'A job' })
      expect(rest.map((event) => (event as { line: string }).line).sort()).toEqual([root, 'that'].sort())
      expect(finished).toMatchObject({ type: 'job.finished', job: 'job', durationMs: expect.any(Number) })
    }))

  it('that fails hands on its own last lines, whole', () =>
    scene({}, async ({ root, run, of }) => {
      const error = await errorOf(
        run(nodeJob('console.log("a"); throw new Error("b")'), createRelease({ root })),
      )
      expect(error.code).toBe('HAVN_ERR_JOB_FAILED')
      expect(error.message).toBe('A job: the program exited with code 1.')
      expect(error.detail).toContain('Error: b')
      expect(of('job.failed')).toMatchObject([{ error: { code: 'HAVN_ERR_JOB_FAILED' } }])
    }))

  it('is ended at its deadline', () =>
    scene({}, async ({ root, run }) => {
      const job = nodeJob('console.log("waiting for the database"); setInterval(() => {}, 1000)', {
        deadlineMs: 4_000,
      })
      const error = await errorOf(run(job, createRelease({ root })))
      expect(error.code).toBe('HAVN_ERR_JOB_DEADLINE')
      expect(error.detail).toBe('waiting for the database')
    }))

  it('is ended by its signal', () =>
    scene({}, async ({ root, run, until }) => {
      const abort = new AbortController()
      const job = nodeJob('console.log("on"); setInterval(() => {}, 1000)')
      const running = errorOf(run(job, createRelease({ root }), abort.signal))
      await until(({ type }) => type === 'job.output')
      abort.abort(new Error('Ctrl-C'))
      expect((await running).message).toBe('Ctrl-C')
    }))

  it('is skipped when its planner said so', () =>
    scene({}, async ({ root, run, events }) => {
      await run(nodeJob('process.exit(1)', { skip: 'STATIC_ROOT is not set' }), createRelease({ root }))
      expect(events).toEqual([
        { type: 'job.skipped', job: 'job', title: 'A job', because: 'STATIC_ROOT is not set' },
      ])
    }))
})

describe('a job with a fingerprint', () => {
  it('runs again only when something that it depends on changed, or what it made is gone', () =>
    scene({}, async ({ root, run, events }) => {
      const release = createRelease({ root })
      const fingerprint = { paths: ['migrations', 'absent.txt'], values: ['5.2'], creates: ['made.txt'] }
      const job = () => nodeJob(says, { fingerprint: structuredClone(fingerprint) })
      async function outcome(change = job()): Promise<string> {
        events.length = 0
        await run(change, release)
        return events.at(-1)!.type
      }
      await mkdir(join(root, 'migrations/__pycache__'), { recursive: true })
      await writeFile(join(root, 'migrations/0001.py'), 'one')
      await writeFile(join(root, 'made.txt'), '')

      expect(await outcome()).toBe('job.finished')
      expect(await outcome()).toBe('job.skipped')
      expect((events[0] as { because: string }).because).toMatch(
        /^unchanged since \d{4}-\d\d-\d\d \d\d:\d\d UTC$/,
      )

      await writeFile(join(root, 'migrations/__pycache__/0001.pyc'), 'bytecode')
      expect(await outcome()).toBe('job.skipped')
      await writeFile(join(root, 'migrations/0002.py'), 'two')
      expect(await outcome()).toBe('job.finished')
      await writeFile(join(root, 'migrations/0002.py'), 'three')
      expect(await outcome()).toBe('job.finished')
      await writeFile(join(root, 'absent.txt'), '')
      expect(await outcome()).toBe('job.finished')
      await rm(join(root, 'made.txt'))
      expect(await outcome()).toBe('job.finished')
      await writeFile(join(root, 'made.txt'), '')
      expect(await outcome()).toBe('job.skipped')

      const upgraded = job()
      upgraded.fingerprint!.values = ['6.0']
      expect(await outcome(upgraded)).toBe('job.finished')
      const other = job()
      other.process.env = { WHAT: 'other' }
      expect(await outcome(other)).toBe('job.finished')
    }))

  it('that failed is not taken for done', () =>
    scene({}, async ({ root, run, of }) => {
      const job = nodeJob('process.exit(1)', { fingerprint: { paths: [], values: ['1'] } })
      await errorOf(run(job, createRelease({ root })))
      await errorOf(run(job, createRelease({ root })))
      expect(of('job.started')).toHaveLength(2)
    }))
})

describe('the lock of a job', () => {
  it('keeps another of the same lock out, and says who holds it', () =>
    scene({}, async ({ root, run, until }) => {
      const release = createRelease({ root })
      const abort = new AbortController()
      const first = errorOf(
        run(nodeJob('console.log("on"); setInterval(() => {}, 1000)'), release, abort.signal),
      )
      await until(({ type }) => type === 'job.output')
      const error = await errorOf(run(nodeJob(says, { title: 'Another' }), release))
      expect(error.code).toBe('HAVN_ERR_JOB_LOCKED')
      expect(error.message).toContain(`Another: process ${process.pid} holds the lock for "A job" since 20`)
      await run(nodeJob(says, { lock: 'other' }), release)
      abort.abort()
      await first
      await run(nodeJob(says), release)
    }))

  it('is taken over from a process that is gone', () =>
    scene({}, async ({ root, run, of, stateDirectory }) => {
      await mkdir(join(stateDirectory, 'locks/jobs'), { recursive: true })
      const stale = {
        pid: 999_999_999,
        startTicks: null,
        id: 'x',
        what: 'A job',
        since: '2026-01-01T00:00:00Z',
      }
      await writeFile(join(stateDirectory, 'locks/jobs/release.json'), JSON.stringify(stale))
      await run(nodeJob(says), createRelease({ root }))
      expect(of('job.finished')).toHaveLength(1)
    }))

  it('is taken over from a process whose number another one has now', () =>
    scene({}, async ({ root, run, of, stateDirectory }) => {
      await mkdir(join(stateDirectory, 'locks/jobs'), { recursive: true })
      const stale = {
        pid: process.pid,
        startTicks: '1',
        id: 'x',
        what: 'A job',
        since: '2026-01-01T00:00:00Z',
      }
      await writeFile(join(stateDirectory, 'locks/jobs/release.json'), JSON.stringify(stale))
      await run(nodeJob(says), createRelease({ root }))
      expect(of('job.finished')).toHaveLength(1)
    }))
})
