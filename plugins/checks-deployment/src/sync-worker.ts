import { numberOf, optionOf } from '@havn/checklist'
import type { ServerCommand } from '@havn/checklist'

/** Whether it is gunicorn with its sync workers: one request at a time, each on a connection of its own. */
export function isSyncWorker(command: ServerCommand): boolean {
  if (command.server !== 'gunicorn') return false
  const worker = optionOf(command, 'worker-class')
  // More threads than one make gthread workers of them.
  return (worker === null || worker.value === 'sync') && (numberOf(command, 'threads') ?? 2) === 1
}
