import assert from 'node:assert/strict'
import { planSchema } from '@havn/model'
import type { Job, Release } from '@havn/model'
import type { AppRuntime } from '../kinds/framework.ts'
import type { LifecycleEvent } from '../kinds/monitor.ts'
import type { ApplyInput, OrchestratorContract } from '../kinds/orchestrator.ts'
import { describeAnyPlugin, withPlugin } from './plugin-suite.ts'
import type { PluginSuiteOptions } from './plugin-suite.ts'
import { assertPure } from './purity.ts'

/** Releases and jobs that this orchestrator can really run. */
export interface OrchestratorExamples {
  /** A release that answers HTTP. */
  serving: Release
  /** One more that answers, and differs. */
  changed: Release
  /** A release with a process that ends before it is ready, having printed `the reason of its death`. */
  dying: Release
  /** A job that prints `the job ran` and succeeds. */
  job: Job
  /** A job that prints `the reason of its failure` and fails. */
  failingJob: Job
  /** Asks the release that runs; resolves with the body, rejects when nothing answers. */
  request(): Promise<string>
  runtime?: AppRuntime
  runDirectory: string
}

export interface OrchestratorSuiteOptions extends PluginSuiteOptions {
  /** Called once a test; `remove` is called after it. */
  examples: () => Promise<OrchestratorExamples & { remove(): Promise<void> }>
}

/** The contract of orchestrators: a pure plan, and real effects of it. */
export function describeOrchestratorPlugin(options: OrchestratorSuiteOptions): void {
  const { describe, it, plugin } = options

  /** Sets up an orchestrator and its examples; whatever a test leaves running is destroyed. */
  async function scene(run: (scene: Scene) => Promise<void>): Promise<void> {
    const examples = await options.examples()
    try {
      await withPlugin<'orchestrator', void>(options, async (orchestrator) => {
        try {
          await run(createScene(orchestrator, examples))
        } finally {
          await orchestrator.destroy(AbortSignal.timeout(30_000))
        }
      })
    } finally {
      await examples.remove()
    }
  }

  describe(`the orchestrator contract: ${plugin.id}`, () => {
    describeAnyPlugin(options)

    it('plans purely', () =>
      scene(async ({ orchestrator, examples }) => {
        const plan = (releases: (Release | null)[]) => orchestrator.plan(releases[0]!, releases[1] ?? null)
        const first = planSchema.parse(assertPure(plan, [examples.serving, null]))
        assert.ok(
          first.actions.some(({ verb }) => verb === 'start' || verb === 'create'),
          'the plan starts nothing',
        )
        const again = planSchema.parse(assertPure(plan, [examples.serving, examples.serving]))
        const verbs = new Set(again.actions.map(({ verb }) => verb))
        assert.deepEqual(
          [...verbs].filter((verb) => verb !== 'skip'),
          [],
          'nothing changed, so nothing is to be done',
        )
      }))

    it('applies a release, tells its status, and destroys it as often as it is asked to', () =>
      scene(async ({ orchestrator, examples, apply, events }) => {
        await apply(examples.serving, null)
        assert.notEqual(await examples.request(), '')
        const status = await orchestrator.status()
        assert.ok(status.length > 0)
        assert.deepEqual([...new Set(status.map(({ state }) => state))], ['ready'])
        assert.equal(events.at(-1)?.type, 'release.ready')
        await orchestrator.destroy(AbortSignal.timeout(30_000))
        await orchestrator.destroy(AbortSignal.timeout(30_000))
        await assert.rejects(examples.request(), 'it still answers')
        assert.equal((await orchestrator.status()).filter(({ state }) => state === 'ready').length, 0)
      }))

    it('goes on to another release, and back', () =>
      scene(async ({ orchestrator, examples, apply }) => {
        await apply(examples.serving, null)
        const before = await examples.request()
        assert.equal(
          await orchestrator.rollback(AbortSignal.timeout(30_000)),
          null,
          'there is none before the first',
        )
        await apply(examples.changed, examples.serving)
        assert.notEqual(await examples.request(), before)
        assert.equal((await orchestrator.rollback(AbortSignal.timeout(30_000)))?.id, examples.serving.id)
        assert.equal(await examples.request(), before)
      }))

    it('rejects with the last words of a process that dies, and leaves nothing running', () =>
      scene(async ({ orchestrator, examples, apply }) => {
        const error = await errorOf(apply(examples.dying, null))
        assert.match(error.detail ?? '', /the reason of its death/)
        const running = (await orchestrator.status()).filter(
          ({ state }) => state === 'ready' || state === 'starting',
        )
        assert.deepEqual(running, [])
      }))

    it('lets what ran go on when the next release dies', () =>
      scene(async ({ examples, apply }) => {
        await apply(examples.serving, null)
        const before = await examples.request()
        await errorOf(apply(examples.dying, examples.serving))
        assert.equal(await examples.request(), before)
      }))

    it('runs a job, and tells what it prints', () =>
      scene(async ({ orchestrator, examples, input, events }) => {
        await orchestrator.runJob(examples.job, input(examples.serving))
        const types = events.map(({ type }) => type)
        assert.equal(types[0], 'job.started')
        assert.equal(types.at(-1), 'job.finished')
        assert.ok(events.some((event) => event.type === 'job.output' && event.line === 'the job ran'))
      }))

    it('rejects with the last words of a job that fails', () =>
      scene(async ({ orchestrator, examples, input, events }) => {
        const error = await errorOf(orchestrator.runJob(examples.failingJob, input(examples.serving)))
        assert.match(error.detail ?? '', /the reason of its failure/)
        assert.equal(events.at(-1)?.type, 'job.failed')
      }))
  })
}

interface Scene {
  orchestrator: OrchestratorContract
  examples: OrchestratorExamples
  events: LifecycleEvent[]
  input(release: Release): Omit<ApplyInput, 'plan'>
  apply(release: Release, current: Release | null): Promise<void>
}

function createScene(orchestrator: OrchestratorContract, examples: OrchestratorExamples): Scene {
  const events: LifecycleEvent[] = []
  const { runtime, runDirectory } = examples
  const onEvent = (event: LifecycleEvent) => void events.push(event)
  const input = (release: Release) => ({
    release,
    runtime,
    runDirectory,
    onEvent,
    signal: AbortSignal.timeout(60_000),
  })
  const apply = (release: Release, current: Release | null) =>
    orchestrator.apply({ ...input(release), plan: orchestrator.plan(release, current) })
  return { orchestrator, examples, events, input, apply }
}

async function errorOf(promise: Promise<void>): Promise<Error & { detail?: string }> {
  try {
    await promise
  } catch (error) {
    return error as Error
  }
  return assert.fail('it did not reject')
}
