import { randomBytes } from 'node:crypto'
import { link, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'

/** Longer than any order may take: after it a lock is of a process that ended, whoever has its number now. */
const STALE_MS = 15 * 60_000

/**
 * Takes a lock file that one process at a time has.
 *
 * @returns what gives it back, or null while another holds it.
 */
export async function tryLock(path: string): Promise<(() => Promise<void>) | null> {
  const mine = `${process.pid}.${randomBytes(8).toString('hex')} ${hostname()}`
  if (await take(path, mine)) return () => release(path, mine)
  const held = await readFile(path, 'utf8').catch(() => null)
  if (held !== null && !(await isStale(path, held))) return null
  if (held !== null) await remove(path, held)
  return (await take(path, mine)) ? () => release(path, mine) : null
}

/** A link appears with its content. */
async function take(path: string, mine: string): Promise<boolean> {
  const draft = `${path}.${randomBytes(8).toString('hex')}`
  await writeFile(draft, mine, { mode: 0o600 })
  try {
    await link(draft, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    await rm(draft, { force: true })
  }
}

async function isStale(path: string, held: string): Promise<boolean> {
  const found = await stat(path).catch(() => null)
  if (found === null || Date.now() - found.mtimeMs > STALE_MS) return true
  // Of another machine's processes, or another container's, nobody knows here.
  const [owner = '', machine] = held.split(' ')
  return machine === hostname() && !isAlive(Number.parseInt(owner, 10))
}

/** Only the one that was looked at: another process may have put its own there since. */
async function remove(path: string, held: string): Promise<void> {
  const aside = `${path}.${randomBytes(8).toString('hex')}`
  try {
    await rename(path, aside)
    if ((await readFile(aside, 'utf8')) !== held) await link(aside, path)
  } catch (error) {
    if (!['ENOENT', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  } finally {
    await rm(aside, { force: true })
  }
}

async function release(path: string, mine: string): Promise<void> {
  if ((await readFile(path, 'utf8').catch(() => null)) === mine) await rm(path, { force: true })
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
