import type { ProcessStatus } from '@havn/plugin-api'
import type { LocalProcess } from './local-process.ts'

/** Each process of the release that runs, in the order in which they were started. */
export function toStatus(processes: Iterable<LocalProcess>): Promise<ProcessStatus[]> {
  return Promise.all([...processes].map((process) => process.status()))
}
