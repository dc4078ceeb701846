import { execFile } from 'node:child_process'
import { cp } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { temporaryDirectory } from './temporary-directory.ts'

const source = resolve(import.meta.dirname, '../../../examples/polls')

/** What earlier runs leave in the example's folder. */
const made = new Set(['.platform', '.venv', '.secret-key', 'db.sqlite3', 'staticfiles', '__pycache__'])

/** examples/polls in a folder of its own: migrated, with its sample questions, DEBUG off, static files collected. */
export async function createPollsSite(python: string): Promise<string> {
  const directory = join(temporaryDirectory('polls'), 'polls')
  await cp(source, directory, { recursive: true, filter: (path) => !made.has(basename(path)) })
  for (const command of [['migrate'], ['collectstatic']]) {
    const args = ['manage.py', ...command, '--no-input', '--verbosity', '0']
    await promisify(execFile)(python, args, { cwd: directory })
  }
  return directory
}
