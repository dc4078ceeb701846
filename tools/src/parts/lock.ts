import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** Runs `work` while no other process holds the folder `path`; the lock of a dead process is taken over. */
export async function withLock<Result>(path: string, work: () => Promise<Result>): Promise<Result> {
  const holderFile = join(path, 'pid')
  for (;;) {
    try {
      await mkdir(path)
      break
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    const holder = Number(await readFile(holderFile, 'utf8').catch(() => Number.NaN))
    if (holder && !isAlive(holder)) await rm(path, { recursive: true, force: true })
    await sleep(200)
  }
  try {
    await writeFile(holderFile, String(process.pid))
    return await work()
  } finally {
    await rm(path, { recursive: true, force: true })
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
