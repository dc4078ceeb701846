import type { PythonProject } from '@havn/model'
import { askInOrder, findPythons, type PythonCandidate } from '@havn/process'
import type { EnvironmentInput } from './environment-input.ts'
import { environmentErrors } from './errors.ts'
import { probePython, type PythonInterpreter } from './probe-python.ts'
import { isCreated } from './own-environment.ts'
import { satisfies } from './version-specifier.ts'

/** The oldest Python that the CPython host runs on. */
const oldest = '>=3.9'
const MAX_ASKED_AT_ONCE = 4

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
  const candidates: PythonCandidate[] = []
  for await (const candidate of findPythons(input)) candidates.push(candidate)
  for await (const [candidate, interpreter] of askPythons(candidates, env)) {
    const { kind, path, label, environment } = candidate
    if (kind === 'own' && !(await isCreated(environment!))) continue
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

/** Each in turn as far as the machine's first, which is mostly good; those that are left, side by side. */
async function* askPythons(
  candidates: readonly PythonCandidate[],
  env: Readonly<Record<string, string>>,
): AsyncGenerator<[PythonCandidate, PythonInterpreter | null]> {
  const ask = async ({ path }: PythonCandidate) => (path === null ? null : await probePython(path, env))
  const inTurn = candidates.findIndex(({ kind }) => kind === 'base') + 1
  for (const candidate of candidates.slice(0, inTurn)) yield [candidate, await ask(candidate)]
  yield* askInOrder(candidates.slice(inTurn), ask, { limit: MAX_ASKED_AT_ONCE })
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
