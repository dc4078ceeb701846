import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Makes a folder a repository of git, with these files in its index; all, where none are named. */
export async function makeRepository(directory: string, files: readonly string[] = ['.']): Promise<void> {
  await run('git', ['-C', directory, 'init', '--quiet'])
  if (files.length > 0) await run('git', ['-C', directory, 'add', '--force', '--', ...files])
}
