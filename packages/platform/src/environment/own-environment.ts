import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { PythonProject } from '@havn/model'
import { ownPythonEnvironment } from '@havn/process'
import type { EnvironmentInput } from './environment-input.ts'
import { environmentErrors } from './errors.ts'
import { readStamp, writeStamp } from './install-stamp.ts'
import type { PythonInterpreter } from './probe-python.ts'
import { runCommand, runStep } from './run-step.ts'

/** True when its making was not interrupted. */
export async function isCreated(environment: string): Promise<boolean> {
  return (await readStamp(environment)) !== null
}

/**
 * Makes the app's own virtual environment, in place of one that is unfinished or of another Python.
 *
 * @param seesMachine its programs also see the packages of the interpreter that it is made from.
 * @returns its interpreter.
 * @throws HAVN_ERR_PYTHON_VENV
 */
export async function createOwnEnvironment(
  input: EnvironmentInput<PythonProject>,
  { base, seesMachine }: { base: PythonInterpreter; seesMachine: boolean },
): Promise<PythonInterpreter> {
  const { root, env, signal } = input
  const environment = ownPythonEnvironment(root)
  await runStep({ id: 'environment', title: 'Create virtual environment' }, input, async (onLine) => {
    await mkdir(dirname(environment), { recursive: true })
    await writeFile(join(dirname(environment), '.gitignore'), '*\n')
    await rm(environment, { recursive: true, force: true })
    const args = ['-m', 'venv', ...(seesMachine ? ['--system-site-packages'] : []), environment]
    const { failure, output } = await runCommand(
      { command: base.executable, args, cwd: root, env },
      { onLine, signal },
    )
    if (failure !== null) {
      const seen = { interpreter: base.executable, directory: environment }
      throw environmentErrors.HAVN_ERR_PYTHON_VENV(seen, { detail: output || failure })
    }
    await writeStamp(environment, { installed: null })
  })
  const executable = join(environment, 'bin/python')
  return { version: base.version, executable, base: base.base, hasPip: true }
}
