import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { defineFact } from '../../define.ts'

const run = promisify(execFile)
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024

/** What git knows of the project's files, relative to the project's root. */
export interface GitFiles {
  /** In the index: what a clone has. */
  tracked: ReadonlySet<string>
  /** In the folder and not ignored: what `git add .` would take in. */
  untracked: ReadonlySet<string>
}

/** The files of the repository that the project lies in; null where there is no repository, or no git to ask. */
export const gitFiles = defineFact<GitFiles>({
  id: 'git-files',
  title: 'Repository of git',
  async collect({ tree, signal }) {
    const list = async (...flags: string[]) => {
      // A repository's own configuration can name a program to run here: it is not to.
      const args = ['-c', 'core.fsmonitor=false', '-C', tree.root, 'ls-files', '-z', ...flags]
      const env = { ...process.env, GIT_OPTIONAL_LOCKS: '0', LC_ALL: 'C' }
      const { stdout } = await run('git', args, { signal, env, maxBuffer: MAX_OUTPUT_BYTES })
      return new Set(stdout.split('\0').filter((name) => name !== ''))
    }
    try {
      const tracked = await list('--cached')
      return { tracked, untracked: await list('--others', '--exclude-standard') }
    } catch (error) {
      signal.throwIfAborted()
      if (isAbsence(error)) return null
      throw error
    }
  },
})

/** No program, no repository; anything else that git says is no reason to go on as if there were none. */
function isAbsence(error: unknown): boolean {
  const { code, stderr = '' } = error as NodeJS.ErrnoException & { stderr?: string }
  return code === 'ENOENT' || stderr.includes('not a git repository')
}
