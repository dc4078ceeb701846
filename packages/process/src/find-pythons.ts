import { readFile, stat } from 'node:fs/promises'
import { isAbsolute, join, resolve } from 'node:path'
import { findProgram } from './find-program.ts'

/** A Python that an app may run on. */
export interface PythonCandidate {
  /**
   * `named`: by the user. `active`: VIRTUAL_ENV. `project`: `.venv` or `venv` in the tree. `own`: the environment that
   * Havn made. `base`: an interpreter of the machine.
   */
  kind: 'named' | 'active' | 'project' | 'own' | 'base'
  /** Absolute path; null for a name that is nowhere. */
  path: string | null
  /** Where it was looked for, for people: `/app/.venv/bin/python (in the tree)`. */
  label: string
  /** Folder of the virtual environment; absent for an interpreter that is not in one, or that was named. */
  environment?: string
}

/** Where Havn keeps the virtual environment that it makes for an app. */
export function ownPythonEnvironment(root: string): string {
  return join(root, '.platform/venv')
}

/**
 * Lists interpreters in the order in which people mean them: the one that they name, and no other then; the environment
 * that they have activated, the one in the tree, Havn's own, the machine's. None is started, nor known to start.
 *
 * @param input.env `PATH` and `VIRTUAL_ENV` are read from it.
 */
export async function* findPythons(input: {
  /** Absolute path of the source tree. */
  root: string
  /** Interpreter that the user named: a path, a name on the PATH, or a virtual environment's folder. */
  python?: string
  env: Readonly<Record<string, string>>
}): AsyncGenerator<PythonCandidate> {
  const { root, python, env } = input
  if (python !== undefined) {
    yield { kind: 'named', path: await findNamed(python, input), label: `${python} (named)` }
    return
  }
  const active = env['VIRTUAL_ENV']
  if (active) yield inEnvironment('active', active, 'VIRTUAL_ENV')
  for (const name of ['.venv', 'venv']) {
    const environment = join(root, name)
    if (await exists(join(environment, 'pyvenv.cfg')))
      yield inEnvironment('project', environment, 'in the tree')
  }
  const own = ownPythonEnvironment(root)
  if (await exists(join(own, 'pyvenv.cfg'))) yield inEnvironment('own', own, 'made here')
  yield* findBases(root, env)
}

/** By the names that distributions give interpreters, the one that the tree pins first. */
async function* findBases(
  root: string,
  env: Readonly<Record<string, string>>,
): AsyncGenerator<PythonCandidate> {
  const pinned = await readPinnedVersion(root)
  const minors = [14, 13, 12, 11, 10, 9].map((minor) => `python3.${minor}`)
  for (const name of new Set([...(pinned ? [`python${pinned}`] : []), 'python3', ...minors, 'python'])) {
    const path = await findProgram(name, env)
    yield { kind: 'base', path, label: path ?? `${name} (not on the PATH)` }
  }
}

function inEnvironment(kind: PythonCandidate['kind'], environment: string, where: string): PythonCandidate {
  const path = join(environment, 'bin/python')
  return { kind, path, label: `${path} (${where})`, environment }
}

/** The version in `.python-version` (pyenv, uv), as `3.12`; null for none, or for another implementation. */
async function readPinnedVersion(root: string): Promise<string | null> {
  const text = await readFile(join(root, '.python-version'), 'utf8').catch(() => '')
  return /^(\d+\.\d+)/.exec(text.trim())?.[1] ?? null
}

async function findNamed(
  named: string,
  { root, env }: { root: string; env: Readonly<Record<string, string>> },
): Promise<string | null> {
  if (!named.includes('/')) {
    const path = await findProgram(named, env)
    if (path !== null) return path
  }
  const places = isAbsolute(named) ? [named] : [resolve(root, named), resolve(named)]
  for (const place of places) {
    const found = await stat(place).catch(() => null)
    if (found) return found.isDirectory() ? join(place, 'bin/python') : place
  }
  return null
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null)) !== null
}
