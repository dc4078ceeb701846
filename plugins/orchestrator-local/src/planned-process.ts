import type { ProcessSpec, Release } from '@havn/model'
import { errors } from './errors.ts'

/** One process of a release, as it will run here. */
export interface PlannedProcess {
  /** Unique in the release: `app`, `app/sidecar`, `worker#2`. */
  name: string
  workload: string
  spec: ProcessSpec
}

/**
 * A release's processes in waves: those of one wave start together, once all before it are ready, so that
 * whatever a process `uses` listens already. Stopping goes the other way. Pure.
 *
 * @throws HAVN_ERR_LOCAL_* where a release can't run on this machine.
 */
export function planWaves(release: Release): PlannedProcess[][] {
  if (release.source.type === 'image')
    throw errors.HAVN_ERR_LOCAL_IMAGE({ reference: release.source.reference })
  let waiting = release.workloads.flatMap(listProcesses)
  waiting.forEach(assertSupported)

  const waves: PlannedProcess[][] = []
  while (waiting.length > 0) {
    const missing = new Set(waiting.flatMap(({ spec }) => spec.listens.map(({ endpoint }) => endpoint)))
    const wave = waiting.filter(({ spec }) => !spec.uses.some((endpoint) => missing.has(endpoint)))
    if (wave.length === 0) throw errors.HAVN_ERR_LOCAL_ORDER({ processes: waiting.map(({ name }) => name) })
    waves.push(wave)
    waiting = waiting.filter((process) => !wave.includes(process))
  }
  return waves
}

function listProcesses({ id, main, sidecars, replicas }: Release['workloads'][number]): PlannedProcess[] {
  const shared = [main, ...sidecars].flatMap(({ listens }) => listens).find(() => replicas > 1)
  if (shared) throw errors.HAVN_ERR_LOCAL_REPLICAS({ workload: id, replicas, address: shared.address })
  return Array.from({ length: replicas }, (_, index) => {
    const suffix = index === 0 ? '' : `#${index + 1}`
    return [
      ...sidecars.map((spec) => ({ name: `${id}/${spec.id}${suffix}`, workload: id, spec })),
      { name: id + suffix, workload: id, spec: main },
    ]
  }).flat()
}

/** What would be ignored silently is refused. */
function assertSupported({ name, spec }: PlannedProcess): void {
  const refuse = (what: string) => errors.HAVN_ERR_LOCAL_UNSUPPORTED({ process: name, what })
  if (spec.user !== undefined) throw refuse(`the user ${spec.user}`)
  if (spec.mounts.length > 0) throw refuse('mounts')
  if (spec.listens.some(({ by }) => by === 'descriptor')) throw refuse('a listening descriptor')
}
