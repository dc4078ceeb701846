import { readFile, stat } from 'node:fs/promises'
import { isAbsolute, join, resolve } from 'node:path'
import type { PythonProject } from '@havn/model'
import type { EnvironmentInput } from './environment-input.ts'
import { environmentErrors } from './errors.ts'
import { findProgram } from './find-program.ts'
import { probePython, type PythonInterpreter } from './probe-python.ts'
import { isCreated, ownEnvironment } from './own-environment.ts'
import { satisfies } from './version-specifier.ts'

/** The oldest Python that the CPython host runs on. */
const oldest = '>=3.9'

/** Which Python an app gets, and whose it is. */
export interface ChosenPython {
  /**
   * `named`: --python. `active`: VIRTUAL_ENV. `project`: `.venv` or `venv` in the tree. `own`: the environment that
   * Havn made. `base`: an interpreter of the machine.
   */
  kind: 'named' | 'active' | 'project' | 'own' | 'base'
  interpreter: PythonInterpreter
  /** Folder of the virtual environment; absent for an interpreter that is not in one, or that was named. */
  environment?: string
}

/**
 * Chooses the interpreter, in the order in which people mean it: the one they name, the environment they have
 * activated, the one in the tree, Havn's own, the machine's. Changes nothing.
 *
 * @throws HAVN_ERR_PYTHON_MISSING, HAVN_ERR_PYTHON_TOO_OLD
 */
export async function choosePython(input: EnvironmentInput<PythonProject>): Promise<ChosenPython> {
  const { root, python, env, project } = input
  const tried: string[] = []
  if (python !== undefined) {
    const interpreter = await probeNamed(python, input)
    if (!interpreter) throw environmentErrors.HAVN_ERR_PYTHON_MISSING({ tried: [`${python} (named)`] })
    return checked({ kind: 'named', interpreter }, project)
  }

  const active = env['VIRTUAL_ENV']
  if (active) {
    const interpreter = await probePython(join(active, 'bin/python'), env)
    if (interpreter) return checked({ kind: 'active', interpreter, environment: active }, project)
    tried.push(`${join(active, 'bin/python')} (VIRTUAL_ENV)`)
  }
  for (const name of ['.venv', 'venv']) {
    const environment = join(root, name)
    if (!(await exists(join(environment, 'pyvenv.cfg')))) continue
    const interpreter = await probePython(join(environment, 'bin/python'), env)
    if (interpreter) return checked({ kind: 'project', interpreter, environment }, project)
    tried.push(`${join(environment, 'bin/python')} (in the tree)`)
  }
  const own = ownEnvironment(root)
  if (await isCreated(own)) {
    const interpreter = await probePython(join(own, 'bin/python'), env)
    if (interpreter && isRightVersion(interpreter, project))
      return { kind: 'own', interpreter, environment: own }
  }
  return { kind: 'base', interpreter: await chooseBase(input, tried) }
}

/** An interpreter of the machine that is new enough, by the names that distributions give it. */
async function chooseBase(
  { root, env, project }: EnvironmentInput<PythonProject>,
  tried: string[],
): Promise<PythonInterpreter> {
  const pinned = await readPinnedVersion(root)
  const minors = [14, 13, 12, 11, 10, 9].map((minor) => `python3.${minor}`)
  const names = new Set([...(pinned ? [`python${pinned}`] : []), 'python3', ...minors, 'python'])
  const tooOld: string[] = []
  for (const name of names) {
    const path = await findProgram(name, env)
    const interpreter = path === null ? null : await probePython(path, env)
    if (interpreter && isRightVersion(interpreter, project)) return interpreter
    if (interpreter) tooOld.push(describe(interpreter))
    tried.push(path === null ? `${name} (not on the PATH)` : `${path} (does not start)`)
  }
  if (tooOld.length === 0) throw environmentErrors.HAVN_ERR_PYTHON_MISSING({ tried })
  throw environmentErrors.HAVN_ERR_PYTHON_TOO_OLD({
    found: [...new Set(tooOld)],
    wanted: wantedVersion(project),
  })
}

/** The version in `.python-version` (pyenv, uv), as `3.12`; null for none, or for another implementation. */
async function readPinnedVersion(root: string): Promise<string | null> {
  const text = await readFile(join(root, '.python-version'), 'utf8').catch(() => '')
  return /^(\d+\.\d+)/.exec(text.trim())?.[1] ?? null
}

async function probeNamed(
  named: string,
  { root, env }: EnvironmentInput<PythonProject>,
): Promise<PythonInterpreter | null> {
  if (!named.includes('/')) {
    const path = await findProgram(named, env)
    if (path !== null) return probePython(path, env)
  }
  const places = isAbsolute(named) ? [named] : [resolve(root, named), resolve(named)]
  for (const place of places) {
    const found = await stat(place).catch(() => null)
    if (found) return probePython(found.isDirectory() ? join(place, 'bin/python') : place, env)
  }
  return null
}

function checked(chosen: ChosenPython, project: PythonProject): ChosenPython {
  if (isRightVersion(chosen.interpreter, project)) return chosen
  const seen = { found: [describe(chosen.interpreter)], wanted: wantedVersion(project) }
  throw environmentErrors.HAVN_ERR_PYTHON_TOO_OLD(seen)
}

function isRightVersion({ version }: PythonInterpreter, { requiresPython }: PythonProject): boolean {
  return satisfies(version, oldest) && satisfies(version, requiresPython ?? '')
}

function wantedVersion({ requiresPython }: PythonProject): string {
  return requiresPython || oldest
}

function describe({ version, executable }: PythonInterpreter): string {
  return `${version} (${executable})`
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null)) !== null
}
