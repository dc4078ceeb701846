import { link, readFile, rm, writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

const POLL_MS = 200

/**
 * Runs `work` while no other process holds the lock file. The lock of a process that has died is taken over.
 *
 * @throws the signal's reason when aborted while waiting.
 */
export async function withLock<Result>(
  path: string,
  signal: AbortSignal,
  work: () => Promise<Result>,
): Promise<Result> {
  const mine = `${path}.${process.pid}`
  // A link appears with its content: nobody reads a lock that names no process yet.
  await writeFile(mine, String(process.pid))
  try {
    for (;;) {
      signal.throwIfAborted()
      if (await tryLink(mine, path)) break
      const holder = Number(await readFile(path, 'utf8').catch(() => Number.NaN))
      if (!Number.isNaN(holder) && !isAlive(holder)) await rm(path, { force: true })
      else await sleep(POLL_MS, undefined, { signal })
    }
  } finally {
    await rm(mine, { force: true })
  }
  try {
    return await work()
  } finally {
    await rm(path, { force: true })
  }
}

async function tryLink(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
