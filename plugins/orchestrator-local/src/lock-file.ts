import { randomUUID } from 'node:crypto'
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { identifyProcess, isRunning } from './process-identity.ts'
import type { ProcessIdentity } from './process-identity.ts'

/** Who holds a lock. */
export interface LockHolder extends ProcessIdentity {
  /** Tells one holding from the next by the same process. */
  id: string
  /** What for, in words. */
  what: string
  /** RFC 3339. */
  since: string
}

/** A lock that was had, or who has it instead. */
export type LockResult = { release(): Promise<void>; holder: null } | { release: null; holder: LockHolder }

/**
 * Takes a lock that outlives no process: the file names its holder, and one whose holder is gone is taken over.
 * It appears whole, by a hard link, so that nobody reads half of it.
 */
export async function takeLock(path: string, what: string): Promise<LockResult> {
  const own: LockHolder = {
    ...(await identifyProcess(process.pid)),
    id: randomUUID(),
    what,
    since: new Date().toISOString(),
  }
  const draft = `${path}.${own.id}`
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await writeFile(draft, JSON.stringify(own), { mode: 0o600 })
  try {
    while (!(await linked(draft, path))) {
      const holder = await readHolder(path)
      if (holder && (await isRunning(holder))) return { release: null, holder }
      await setAside(path, holder, `${draft}.old`)
    }
  } finally {
    await rm(draft, { force: true })
  }
  return { holder: null, release: () => releaseLock(path, own) }
}

async function linked(draft: string, path: string): Promise<boolean> {
  try {
    await link(draft, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** Another process may have taken the stale lock over in the meantime: what was moved is looked at again. */
async function setAside(path: string, stale: LockHolder | null, aside: string): Promise<void> {
  await rename(path, aside).catch(() => {})
  const moved = await readHolder(aside)
  if (moved && moved.id !== stale?.id) await link(aside, path).catch(() => {})
  await rm(aside, { force: true })
}

async function readHolder(path: string): Promise<LockHolder | null> {
  const text = await readFile(path, 'utf8').catch(() => null)
  try {
    return text === null ? null : (JSON.parse(text) as LockHolder)
  } catch {
    return null
  }
}

async function releaseLock(path: string, own: LockHolder): Promise<void> {
  if ((await readHolder(path))?.id === own.id) await rm(path, { force: true })
}
