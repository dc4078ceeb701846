import type { FailureReason, PartStatus } from '@havn/model'
import type { ProcessStatus } from '@havn/plugin-api'
import { formatTable } from './table.ts'

/** So many failures in a row are no accident: what fails in a loop is told of below the table. */
const loopFailures = 2

/** The table of `platform status`, and below it what does not stay up and how the last reload went. */
export function describeProcesses(processes: readonly ProcessStatus[]): string {
  const rows = processes.flatMap((status) => [
    toRow({ name: status.process, ...status }),
    ...(status.parts ?? []).map((part) => toRow({ ...part, name: `  ${part.name}` })),
  ])
  const notes = processes.flatMap((status) => [
    ...describeFailures({ name: status.process, ...status }),
    ...(status.parts ?? []).flatMap(describeFailures),
    ...describeReload(status),
  ])
  const table = formatTable([['PROCESS', 'PID', 'STATE', 'RESTARTS'], ...rows])
  return notes.length === 0 ? table : `${table}\n${notes.join('\n')}\n`
}

interface Row {
  name: string
  pid?: number | null
  state: PartStatus['state'] | ProcessStatus['state']
  restarts: number
  failures?: number
  lastFailure?: FailureReason
}

function toRow({ name, pid, state, restarts }: Row): string[] {
  return [name, String(pid ?? '-'), state, String(restarts)]
}

function describeFailures({ name, failures = 0, lastFailure }: Row): string[] {
  if (failures < loopFailures) return []
  const why = lastFailure === undefined ? '' : ` The last time: ${describeReason(lastFailure)}`
  return [`${name} does not stay up: it ended, or did not start, ${failures} times in a row.${why}`]
}

function describeReload({ process, lastReload }: ProcessStatus): string[] {
  if (lastReload === undefined) return []
  const { at, durationMs, error } = lastReload
  if (error === undefined) return [`${process} was reloaded at ${at}, in ${durationMs} ms.`]
  const why = describeReason(error)
  return [`${process} could not be reloaded at ${at}, and serves on as before: ${why}`]
}

function describeReason({ code, message }: FailureReason): string {
  return code === undefined ? message : `${code}: ${message}`
}
