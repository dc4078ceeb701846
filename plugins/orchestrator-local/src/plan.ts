import type { Plan, PlannedAction, Release } from '@havn/model'
import { planWaves } from './planned-process.ts'

/** What the effect of one action needs. */
export type ActionData = { file: string } | { process: string; wave: number }

/**
 * What leads from one release to the next. Pure. A release is replaced as a whole: another release is another
 * source tree, and local processes share their addresses with those before them.
 *
 * @throws HAVN_ERR_LOCAL_* where the release can't run on this machine.
 */
export function planLocal(release: Release, current: Release | null): Plan {
  const isSame = current?.id === release.id
  const actions = isSame
    ? planNothing(release)
    : [...planStop(current), ...planFiles(release, current), ...planStart(release)]
  return { schemaVersion: 1, title: `Run ${release.app.name} on this machine`, actions }
}

function planNothing(release: Release): PlannedAction[] {
  return planWaves(release).flatMap((wave, index) =>
    wave.map(({ name }) => ({
      id: `skip:${name}`,
      verb: 'skip' as const,
      summary: `leave ${name} running`,
      because: `release ${release.id} runs already`,
      data: { process: name, wave: index },
    })),
  )
}

function planStop(current: Release | null): PlannedAction[] {
  if (!current) return []
  const waves = planWaves(current)
  return waves
    .flatMap((wave, index) =>
      wave.map(({ name }) => ({
        id: `stop:${name}`,
        verb: 'stop' as const,
        summary: `drain and stop ${name}`,
        because: `another release takes its place`,
        data: { process: name, wave: index },
      })),
    )
    .reverse()
}

function planFiles(release: Release, current: Release | null): PlannedAction[] {
  const before = new Map((current?.files ?? []).map((file) => [file.path, file]))
  const after = new Set(release.files.map(({ path }) => path))
  const gone = [...before.keys()].filter((path) => !after.has(path))
  return [
    ...gone.map((path) => fileAction('delete', path)),
    ...release.files.map(({ path }) => fileAction(before.has(path) ? 'update' : 'create', path)),
  ]
}

function fileAction(verb: 'create' | 'update' | 'delete', path: string): PlannedAction {
  return { id: `${verb}:${path}`, verb, summary: `${verb} the file ${path}`, data: { file: path } }
}

function planStart(release: Release): PlannedAction[] {
  return planWaves(release).flatMap((wave, index) =>
    wave.map(({ name }) => ({
      id: `start:${name}`,
      verb: 'start' as const,
      summary: `start ${name} and wait until it is ready`,
      data: { process: name, wave: index },
    })),
  )
}
