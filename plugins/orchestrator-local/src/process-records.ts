import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { identifyProcess, isRunning } from './process-identity.ts'
import type { ProcessIdentity } from './process-identity.ts'

/** Time that a process without a parent gets to end by itself. */
const ORPHAN_MS = 5_000

/** Remembers on disk which processes run, for the case that this one is killed and can't stop them. */
export interface ProcessRecords {
  add(pid: number): Promise<void>
  /** Ends what a killed predecessor left behind. Only processes that are surely the same are touched. */
  endOrphans(): Promise<void>
  clear(): Promise<void>
}

export function createProcessRecords(path: string): ProcessRecords {
  let known: ProcessIdentity[] = []
  let writing = Promise.resolve()

  return {
    add(pid) {
      writing = writing.then(async () => {
        known = [...(await keepRunning(known)), await identifyProcess(pid)]
        await mkdir(dirname(path), { recursive: true, mode: 0o700 })
        await writeFile(path, JSON.stringify(known), { mode: 0o600 })
      })
      return writing
    },
    async endOrphans() {
      const orphans = (await readRecords(path)).filter(({ startTicks }) => startTicks !== null)
      await Promise.all(orphans.map(endOrphan))
      await rm(path, { force: true })
    },
    async clear() {
      await writing.catch(() => {})
      known = []
      await rm(path, { force: true })
    },
  }
}

async function keepRunning(identities: ProcessIdentity[]): Promise<ProcessIdentity[]> {
  const running = await Promise.all(identities.map(isRunning))
  return identities.filter((_, index) => running[index])
}

async function readRecords(path: string): Promise<ProcessIdentity[]> {
  const text = await readFile(path, 'utf8').catch(() => '[]')
  try {
    return JSON.parse(text) as ProcessIdentity[]
  } catch {
    return []
  }
}

async function endOrphan(orphan: ProcessIdentity): Promise<void> {
  if (!(await isRunning(orphan))) return
  signal(orphan.pid, 'SIGTERM')
  for (const end = Date.now() + ORPHAN_MS; Date.now() < end && (await isRunning(orphan));) await sleep(50)
  signal(-orphan.pid, 'SIGKILL')
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // ESRCH: it is gone.
  }
}
