import { join } from 'node:path'

/** Where the control socket of a run directory lies. */
export function controlSocketPath(runDirectory: string): string {
  return join(runDirectory, 'control.sock')
}
