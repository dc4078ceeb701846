import { createHash } from 'node:crypto'
import type { Hash } from 'node:crypto'
import { access, readFile, readdir, readlink, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Job } from '@havn/model'
import type { RunContext } from './run-context.ts'

/** What lies beside sources and is none: Python's bytecode, the history of changes, and what Havn made. */
const ignored = new Set(['__pycache__', '.git', '.platform'])

/**
 * A hash over all that decides whether a job must run again: the contents of its files, its values, what it
 * runs, and the interpreter. Null when the job has no fingerprint.
 */
export async function fingerprintJob(job: Job, { release, runtime }: RunContext): Promise<string | null> {
  if (!job.fingerprint) return null
  const { paths, values } = job.fingerprint
  const { root } = release.app
  const hash = createHash('sha256')
  const interpreter = runtime && { path: runtime.interpreter, version: runtime.version }
  hash.update(JSON.stringify({ root, values, process: job.process, interpreter }))
  for (const path of [...paths].sort()) await hashPath(hash, path, resolve(root, path))
  return hash.digest('hex')
}

/** True when all that a job left behind is still there. */
export async function isIntact(job: Job, { release }: RunContext): Promise<boolean> {
  const paths = job.fingerprint?.creates ?? []
  const found = await Promise.all(paths.map((path) => exists(resolve(release.app.root, path))))
  return !found.includes(false)
}

/** Every entry is preceded by its kind, name and size, so that no two trees read alike. */
async function hashPath(hash: Hash, name: string, path: string): Promise<void> {
  const found = await stat(path).catch(() => null)
  if (found?.isDirectory()) return hashDirectory(hash, name, path)
  if (!found?.isFile()) return void hash.update(JSON.stringify(['absent', name]))
  const content = await readFile(path)
  hash.update(JSON.stringify(['file', name, content.length])).update(content)
}

async function hashDirectory(hash: Hash, name: string, path: string): Promise<void> {
  const entries = (await readdir(path, { withFileTypes: true })).filter((entry) => !ignored.has(entry.name))
  hash.update(JSON.stringify(['directory', name, entries.length]))
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const [inner, full] = [`${name}/${entry.name}`, join(path, entry.name)]
    // A link is what it says, not where it leads: folders may link to each other in circles.
    if (entry.isSymbolicLink()) hash.update(JSON.stringify(['link', inner, await readlink(full)]))
    else await hashPath(hash, inner, full)
  }
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
