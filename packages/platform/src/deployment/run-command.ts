import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { delimiter, dirname } from 'node:path'
import { errors } from '../errors.ts'
import { findApp, openProject, type ProjectOptions } from './project.ts'

/**
 * Runs a command in the app's environment: its variables, its interpreter's programs first on PATH, its folder.
 *
 * @returns the command's exit code; 128 + signal number when a signal ended it.
 */
export async function runCommand(
  options: ProjectOptions & { python?: string; command: string[] },
): Promise<number> {
  const [program, ...args] = options.command
  if (program === undefined) throw errors.HAVN_ERR_RUN_NO_COMMAND({})
  const project = await openProject(options)
  try {
    const found = await findApp(project, {
      install: false,
      python: options.python,
      onEvent: () => {},
      signal: new AbortController().signal,
    })
    const { env, interpreter } = found.runtime
    const path = [dirname(interpreter), env['PATH']].filter(Boolean).join(delimiter)
    return await runHere(program, args, {
      cwd: found.facts.root,
      env: { ...env, ...found.facts.env, PATH: path },
    })
  } finally {
    await project.close()
  }
}

function runHere(
  program: string,
  args: string[],
  options: { cwd: string; env: Record<string, string> },
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { ...options, stdio: 'inherit' })
    // The terminal sends its signals to the command as well: only the command decides what they mean.
    const ignore = () => {}
    process.on('SIGINT', ignore)
    const forward = () => child.kill('SIGTERM')
    process.on('SIGTERM', forward)
    const done = () => process.off('SIGINT', ignore).off('SIGTERM', forward)
    child.on('error', (error: NodeJS.ErrnoException) => {
      done()
      reject(
        error.code === 'ENOENT'
          ? errors.HAVN_ERR_RUN_NOT_FOUND({ command: program }, { cause: error })
          : error,
      )
    })
    child.on('exit', (code, signal) => {
      done()
      resolve(code ?? 128 + (signal ? constants.signals[signal] : 0))
    })
  })
}
