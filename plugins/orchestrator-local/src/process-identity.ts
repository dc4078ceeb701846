import { readFile } from 'node:fs/promises'

/** A process, told apart from a later one that was given the same number. */
export interface ProcessIdentity {
  pid: number
  /** When it started, in the kernel's ticks since boot; null where there is no /proc. */
  startTicks: string | null
}

export async function identifyProcess(pid: number): Promise<ProcessIdentity> {
  return { pid, startTicks: (await readStat(pid))?.startTicks ?? null }
}

/** False for a zombie as well: it has ended, and only its parent does not know. */
export async function isRunning({ pid, startTicks }: ProcessIdentity): Promise<boolean> {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  const stat = await readStat(pid)
  if (!stat) return true
  return stat.state !== 'Z' && (startTicks === null || stat.startTicks === startTicks)
}

/** proc_pid_stat(5): the name in parentheses may hold anything, so fields are counted from its end. */
async function readStat(pid: number): Promise<{ state: string; startTicks: string } | null> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null)
  if (text === null) return null
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return { state: fields[0]!, startTicks: fields[19]! }
}
