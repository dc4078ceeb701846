import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'

/** The examples of this repository. */
export const examplesDirectory = resolve(import.meta.dirname, '../../examples')

/** What earlier runs leave in an example's folder; a copy starts as a clean checkout does. */
const made = new Set(['.platform', '.venv', 'db.sqlite3', 'staticfiles', 'node_modules', '__pycache__'])

/** Copies an app to a folder of its own, without what earlier runs made there. */
export async function copyApp(source: string): Promise<{ directory: string; remove(): Promise<void> }> {
  const parent = await mkdtemp(join(tmpdir(), 'havn-e2e-'))
  const directory = join(parent, basename(source))
  await cp(source, directory, { recursive: true, filter: (path) => !made.has(basename(path)) })
  return { directory, remove: () => rm(parent, { recursive: true, force: true }) }
}
