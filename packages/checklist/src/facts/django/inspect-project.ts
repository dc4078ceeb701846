import { join } from 'node:path'
import { isErrorCode } from '@havn/model/errors'
import { findPythons, runProgram } from '@havn/process'
import { djangoReportSchema, type DjangoReport } from './django-report.ts'

const script = join(import.meta.dirname, '../../../python/inspect_django.py')
/** For all tries of one project together; then it is said where it stood. */
const BOOT_SECONDS = 20
const GRACE_MS = 4_000
const MAX_OUTPUT_BYTES = 32 * 1024 * 1024
const MAX_TRIED = 6

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
  let fallback: DjangoReport | null = null
  const tried = new Set<string>()
  for (const root of new Set([input.directory, input.root]))
    for await (const { path } of findPythons({ root, python: input.python, env })) {
      if (path === null || tried.has(path)) continue
      if (tried.size === MAX_TRIED) return fallback
      tried.add(path)
      const report = await runPython(path, env, input)
      if (report?.django != null) return report
      fallback ??= report
    }
  return fallback
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
