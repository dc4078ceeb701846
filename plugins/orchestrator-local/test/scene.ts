import { join } from 'node:path'
import { withPlugin } from '@havn/plugin-api/testing'
import type { AppRuntime, LifecycleEvent, OrchestratorContract } from '@havn/plugin-api'
import type { Job, Release } from '@havn/model'
import { isRunning } from '../src/process-identity.ts'
import plugin from '../src/index.ts'
import type { LocalOptions } from '../src/index.ts'
import { createFolder } from './release.ts'

/** An orchestrator in a folder of its own, for one test. */
export interface Scene {
  root: string
  runDirectory: string
  stateDirectory: string
  local: OrchestratorContract
  events: LifecycleEvent[]
  /** The events of one type. */
  of<Type extends LifecycleEvent['type']>(type: Type): Extract<LifecycleEvent, { type: Type }>[]
  /** Resolves when an event matches; earlier ones count. */
  until(matches: (event: LifecycleEvent) => boolean): Promise<LifecycleEvent>
  apply(release: Release, current?: Release | null, signal?: AbortSignal): Promise<void>
  run(job: Job, release: Release, signal?: AbortSignal): Promise<void>
  destroy(): Promise<void>
}

export interface SceneOptions extends LocalOptions {
  runtime?: AppRuntime
}

/** Whatever the test leaves running is destroyed, and its folders are removed. */
export async function scene({ runtime, ...config }: SceneOptions, use: (scene: Scene) => Promise<void>) {
  const packageJson = new URL('../package.json', import.meta.url)
  const ignore = () => {}
  const { path: root, remove } = await createFolder()
  try {
    await withPlugin<'orchestrator', void>(
      { plugin, packageJson, config, describe: ignore, it: ignore },
      async (local, { stateDirectory }) => {
        const events: LifecycleEvent[] = []
        const watchers = new Set<() => void>()
        const onEvent = (event: LifecycleEvent) => {
          events.push(event)
          for (const watcher of [...watchers]) watcher()
        }
        const runDirectory = join(root, 'run')
        const input = (release: Release, signal = AbortSignal.timeout(30_000)) => ({
          release,
          runtime,
          runDirectory,
          onEvent,
          signal,
        })
        await use({
          root,
          runDirectory,
          stateDirectory,
          local,
          events,
          of: (type) => events.filter((event) => event.type === type) as never,
          until: (matches) =>
            new Promise((resolve) => {
              const watcher = () => {
                const event = events.find(matches)
                if (!event) return
                watchers.delete(watcher)
                resolve(event)
              }
              watchers.add(watcher)
              watcher()
            }),
          apply: (release, current = null, signal) =>
            local.apply({ ...input(release, signal), plan: local.plan(release, current) }),
          run: (job, release, signal) => local.runJob(job, input(release, signal)),
          destroy: () => local.destroy(AbortSignal.timeout(20_000)),
        })
      },
    )
  } finally {
    await remove()
  }
}

/** What a promise rejects with. */
export async function errorOf(
  promise: Promise<unknown>,
): Promise<Error & { code: string; detail?: string; hint: string }> {
  try {
    await promise
  } catch (error) {
    return error as never
  }
  throw new Error('it did not reject')
}

/** False for a zombie. */
export function isAlive(pid: number): Promise<boolean> {
  return isRunning({ pid, startTicks: null })
}
