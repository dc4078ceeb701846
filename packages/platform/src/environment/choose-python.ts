import type { PythonProject } from '@havn/model'
import { findPythons, type PythonCandidate } from '@havn/process'
import type { EnvironmentInput } from './environment-input.ts'
import { environmentErrors } from './errors.ts'
import { probePython, type PythonInterpreter } from './probe-python.ts'
import { isCreated } from './own-environment.ts'
import { satisfies } from './version-specifier.ts'

/** The oldest Python that the CPython host runs on. */
const oldest = '>=3.9'

/** Which Python an app gets, and whose it is. */
export interface ChosenPython extends Pick<PythonCandidate, 'kind' | 'environment'> {
  interpreter: PythonInterpreter
}

/**
 * Chooses the interpreter, in the order in which people mean it: the one they name, the environment they have
 * activated, the one in the tree, Havn's own, the machine's. Changes nothing.
 *
 * @throws HAVN_ERR_PYTHON_MISSING, HAVN_ERR_PYTHON_TOO_OLD
 */
export async function choosePython(input: EnvironmentInput<PythonProject>): Promise<ChosenPython> {
  const { env, project } = input
  const tried: string[] = []
  const tooOld: string[] = []
  for await (const candidate of findPythons(input)) {
    const { kind, path, label, environment } = candidate
    if (kind === 'own' && !(await isCreated(environment!))) continue
    const interpreter = path === null ? null : await probePython(path, env)
    const chosen = interpreter && { kind, interpreter, ...(environment !== undefined && { environment }) }
    if (chosen && isRightVersion(chosen.interpreter, project)) return chosen
    // What people chose is not passed over for its version.
    if (chosen && kind !== 'own' && kind !== 'base')
      throw tooOldError([describe(chosen.interpreter)], project)
    if (chosen && kind === 'base') tooOld.push(describe(chosen.interpreter))
    if (kind !== 'own') tried.push(kind === 'base' && path !== null ? `${path} (does not start)` : label)
  }
  if (tooOld.length === 0) throw environmentErrors.HAVN_ERR_PYTHON_MISSING({ tried })
  throw tooOldError([...new Set(tooOld)], project)
}

function tooOldError(found: string[], project: PythonProject) {
  return environmentErrors.HAVN_ERR_PYTHON_TOO_OLD({ found, wanted: wantedVersion(project) })
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
