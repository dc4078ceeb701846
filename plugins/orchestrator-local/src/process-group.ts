import { startChild } from '@havn/process'
import type { ChildOptions, ExitRecord, ManagedChild } from '@havn/process'

const DEFAULT_KILL_MS = 10_000

/**
 * Starts a child that leads a process group. A stop signal goes to the leader alone: servers end their own
 * children in order, and a uWSGI worker that gets SIGTERM too drops its request. Whatever of the group is left
 * when the leader has ended is killed.
 */
export async function startGroup(options: ChildOptions): Promise<ManagedChild> {
  const child = await startChild({ ...options, detached: true })
  const { pid } = child
  let expected = false

  const exited = child.exited.then((record): ExitRecord => {
    signal(-pid, 'SIGKILL')
    return { ...record, expected }
  })
  return {
    ...child,
    exited,
    async stop({ signal: name = 'SIGTERM', killMs = DEFAULT_KILL_MS } = {}) {
      expected = true
      if (name === 'SIGKILL') child.kill('SIGKILL')
      else signal(pid, name)
      const deadline = setTimeout(() => child.kill('SIGKILL'), killMs)
      const record = await exited
      clearTimeout(deadline)
      return record
    },
  }
}

/** A process that has ended is not an error. */
function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // ESRCH: it is gone.
  }
}
