import { dirname, join } from 'node:path'
import { isErrorCode } from '@havn/model/errors'
import { askInOrder, findPythons, runProgram } from '@havn/process'
import { djangoReportSchema, type DjangoReport } from './django-report.ts'

const script = join(import.meta.dirname, '../../../python/inspect_django.py')
/** For all tries of one project together; then it is said where it stood. */
const BOOT_SECONDS = 20
const GRACE_MS = 4_000
const MAX_OUTPUT_BYTES = 32 * 1024 * 1024
const MAX_TRIED = 6
const MAX_ASKED_AT_ONCE = 4
const ASK_MS = 10_000

/** What a project may see of this machine, beside what the deployment gives it: the same on every machine, nearly. */
const MACHINE = /^(?:PATH|HOME|USER|LOGNAME|LANG|LC_\w+|TZ|TMPDIR|PYTHONPATH|LD_LIBRARY_PATH|VIRTUAL_ENV)$/

export interface InspectInput {
  /** Absolute path of the tree. */
  root: string
  /** Absolute folder of the project. */
  directory: string
  /** Interpreter that the configuration names. */
  python: string | undefined
  /** Of the deployment. */
  environment: Readonly<Record<string, string>>
  machine: Readonly<Record<string, string | undefined>>
  /** The settings' module; null where running the entry tells it. */
  module: string | null
  /** Module of wsgi.py or asgi.py. */
  entry: string | null
  /** For all tries of the project together: 20. */
  timeoutSeconds?: number
  signal: AbortSignal
}

/**
 * Reads a project in a Python of its own: the first that has Django, or else the first that starts. Null where there is
 * no Python that tells anything.
 */
export async function inspectProject(input: InspectInput): Promise<DjangoReport | null> {
  const env = environmentFor(input)
  const [first, ...others] = await listPythons(input, env)
  const report = first === undefined ? null : await runPython(first, env, input)
  if (report?.django != null) return report
  let bare: string | undefined
  const ask = (path: string, signal: AbortSignal) => askForDjango(path, env, signal)
  for await (const [path, hasDjango] of askInOrder(others, ask, {
    limit: MAX_ASKED_AT_ONCE,
    signal: input.signal,
  })) {
    const found = hasDjango ? await runPython(path, env, input) : null
    if (found?.django != null) return found
    if (hasDjango !== null) bare ??= path
  }
  return report ?? (bare === undefined ? null : runPython(bare, env, input))
}

async function listPythons(
  { directory, root, python }: InspectInput,
  env: Record<string, string>,
): Promise<string[]> {
  const found = new Set<string>()
  for (const folder of new Set([directory, root]))
    for await (const { path } of findPythons({ root: folder, python, env }))
      if (path !== null) found.add(path)
  return [...found].slice(0, MAX_TRIED)
}

/** Null for an interpreter that does not start, such as a shim without a version behind it. */
async function askForDjango(
  command: string,
  env: Record<string, string>,
  signal: AbortSignal,
): Promise<boolean | null> {
  const question = 'import importlib.util as util; print(util.find_spec("django") is not None)'
  try {
    // Not in the project's folder, where something else may have the name.
    const cwd = dirname(script)
    const { code, stdout } = await runProgram({
      command,
      args: ['-c', question],
      cwd,
      env,
      timeoutMs: ASK_MS,
      signal,
    })
    return code === 0 ? stdout.trim() === 'True' : null
  } catch (error) {
    signal.throwIfAborted()
    if (isErrorCode(error, 'HAVN_ERR_PROCESS_SPAWN') || isErrorCode(error, 'HAVN_ERR_PROCESS_TIMEOUT'))
      return null
    throw error
  }
}

function environmentFor({ environment, machine }: InspectInput): Record<string, string> {
  const env: Record<string, string> = {}
  for (const [name, value] of Object.entries(machine))
    if (value !== undefined && MACHINE.test(name)) env[name] = value
  return { ...env, ...environment, PYTHONDONTWRITEBYTECODE: '1', PYTHONIOENCODING: 'utf-8' }
}

async function runPython(
  command: string,
  env: Record<string, string>,
  { directory, module, entry, signal, timeoutSeconds = BOOT_SECONDS }: InspectInput,
): Promise<DjangoReport | null> {
  const request = {
    directory,
    module,
    entry: module === null ? entry : null,
    wsgi: entry,
    timeout: timeoutSeconds,
  }
  try {
    const { code, stdout } = await runProgram({
      command,
      args: [script, JSON.stringify(request)],
      cwd: directory,
      env,
      timeoutMs: timeoutSeconds * 1000 + GRACE_MS,
      maxOutputBytes: MAX_OUTPUT_BYTES,
      signal,
    })
    return code === 0 ? djangoReportSchema.parse(JSON.parse(stdout)) : null
  } catch (error) {
    // An interpreter that does not start, such as a shim without a version behind it.
    if (isErrorCode(error, 'HAVN_ERR_PROCESS_SPAWN')) return null
    throw error
  }
}
