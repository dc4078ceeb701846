import { access, constants } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Program } from '@havn/model'
import type { AppRuntime } from '@havn/plugin-api'
import { errors } from './errors.ts'

export interface ResolvedProgram {
  command: string
  /** Arguments that come before the process's own. */
  args: string[]
}

/**
 * What to execute for a program on this machine. A bare command is left to the PATH.
 *
 * @param process the name of the process, for errors.
 * @throws HAVN_ERR_LOCAL_RUNTIME, HAVN_ERR_LOCAL_SCRIPT_MISSING
 */
export async function resolveProgram(
  program: Program,
  { process: name, runtime }: { process: string; runtime: AppRuntime | undefined },
): Promise<ResolvedProgram> {
  switch (program.type) {
    case 'command':
      return { command: program.path, args: [] }
    case 'node':
      return { command: process.execPath, args: [fileURLToPath(program.module)] }
    case 'python':
      return { command: pythonOf(name, runtime), args: [] }
    case 'python-script': {
      const directory = dirname(pythonOf(name, runtime))
      const command = join(directory, program.name)
      const isThere = await access(command, constants.X_OK).then(
        () => true,
        () => false,
      )
      if (isThere) return { command, args: [] }
      throw errors.HAVN_ERR_LOCAL_SCRIPT_MISSING({ process: name, name: program.name, directory })
    }
  }
}

function pythonOf(name: string, runtime: AppRuntime | undefined): string {
  if (runtime?.language === 'python') return runtime.interpreter
  throw errors.HAVN_ERR_LOCAL_RUNTIME({ process: name })
}
