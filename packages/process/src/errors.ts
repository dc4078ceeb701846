import { defineErrors } from '@havn/model/errors'

/** How a process ended, in words: `exited with code 3`, `was killed by SIGKILL`. */
export function describeExit(exit: { code: number | null; signal: string | null }): string {
  return exit.signal === null ? `exited with code ${exit.code}` : `was killed by ${exit.signal}`
}

export const errors = defineErrors({
  HAVN_ERR_PROCESS_SPAWN: {
    kind: 'user',
    message: (seen: { command: string; reason: string }) =>
      `Could not start ${seen.command}: ${seen.reason}.`,
    hint: 'Check that the program and its working directory exist and that this user may run it.',
  },
  HAVN_ERR_PROCESS_TIMEOUT: {
    kind: 'system',
    message: (seen: { command: string; timeoutMs: number }) =>
      `${seen.command} did not end within ${seen.timeoutMs} ms and was killed.`,
    hint: 'See what it waits for in its output, or allow it more time.',
  },
  HAVN_ERR_PROCESS_DIED: {
    kind: 'user',
    message: (seen: { name: string; code: number | null; signal: string | null }) =>
      `${seen.name} ${describeExit(seen)} before it was ready.`,
    hint: 'Read its last lines of output for the reason.',
  },
  HAVN_ERR_PROCESS_NOT_READY: {
    kind: 'user',
    message: (seen: { name: string; timeoutMs: number }) =>
      `${seen.name} was not ready within ${seen.timeoutMs} ms.`,
    hint: 'See in its output what it waits for, or allow it more time to start.',
  },
})
