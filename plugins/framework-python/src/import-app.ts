import { join } from 'node:path'
import { nearestName } from '@havn/model'
import { isErrorCode, type HavnError } from '@havn/model/errors'
import type { AppRuntime, FrameworkOptions, SourceTree } from '@havn/plugin-api'
import { runProgram, type RunResult } from '@havn/process'
import { appReportSchema, type FoundPythonApp, type PythonAppFailure } from './app-report.ts'
import { errors } from './errors.ts'
import { listCandidates } from './list-candidates.ts'

const script = join(import.meta.dirname, '../python/inspect_app.py')

const IMPORT_TIMEOUT_SECONDS = 60
/** Python ends itself at the timeout, and says where it stood; this much later it is ended from outside. */
const GRACE_MS = 5_000

export interface ImportInput {
  tree: SourceTree
  runtime: AppRuntime
  options: FrameworkOptions
  signal: AbortSignal
  timeoutSeconds?: number
}

/**
 * Finds the app by the syntax of the sources (or takes the entry that the deployment names), and imports it in a
 * Python of its own to see what it is.
 *
 * @throws HAVN_ERR_PYTHON_APP_*
 */
export async function importApp(input: ImportInput): Promise<FoundPythonApp> {
  const { tree, runtime, options, signal, timeoutSeconds = IMPORT_TIMEOUT_SECONDS } = input
  const target = options.entry ?? null
  const files = target === null ? await listCandidates(tree) : []
  const name = target ?? 'The app'
  const result = await runProgram({
    command: runtime.interpreter,
    args: [script, JSON.stringify({ files, target, timeout: timeoutSeconds })],
    cwd: tree.root,
    env: { ...runtime.env, ...options.env, PYTHONDONTWRITEBYTECODE: '1' },
    timeoutMs: timeoutSeconds * 1000 + GRACE_MS,
    signal,
  }).catch((error: unknown) => {
    if (!isErrorCode(error, 'HAVN_ERR_PROCESS_TIMEOUT')) throw error
    const seen = { target: name, seconds: timeoutSeconds }
    throw errors.HAVN_ERR_PYTHON_APP_TIMEOUT(seen, { detail: (error as HavnError).detail })
  })
  const report = parseReport(result)
  if (report === null) throw endedEarly(result, name, timeoutSeconds)
  if (report.ok) return report
  if (report.reason === 'interface' && (options.interface === 'wsgi' || options.interface === 'asgi')) {
    return takenAtItsWord(report.target, options.interface)
  }
  throw importError(report, { ...input, files })
}

function parseReport({ code, stdout }: RunResult) {
  if (code !== 0 || stdout === '') return null
  return appReportSchema.parse(JSON.parse(stdout))
}

function endedEarly({ code, signal, stderr }: RunResult, target: string, seconds: number): HavnError {
  const detail = stderr.trimEnd()
  // faulthandler's own words.
  if (/^Timeout \(/m.test(stderr)) return errors.HAVN_ERR_PYTHON_APP_TIMEOUT({ target, seconds }, { detail })
  const status = signal ? `signal ${signal}` : `exit code ${code}`
  return errors.HAVN_ERR_PYTHON_APP_EXIT({ target, status }, { detail })
}

/** A callable whose signature tells nothing, such as a decorator's `(*args, **kwargs)`. */
function takenAtItsWord(target: string, kind: 'wsgi' | 'asgi'): FoundPythonApp {
  const because = `the deployment says that ${target} is ${kind}`
  const unknown = { folder: null, file: null, line: null, framework: null, version: null, health: null }
  return { ok: true, target, interface: kind, because, ...unknown }
}

function importError(report: PythonAppFailure, input: ImportInput & { files: readonly string[] }): HavnError {
  if (report.reason === 'not-found') return errors.HAVN_ERR_PYTHON_APP_NOT_FOUND({ files: input.files })
  const { target } = report
  switch (report.reason) {
    case 'attribute': {
      const attribute = target.split(':')[1] ?? 'application'
      const seen = {
        target: `${target.split(':')[0]}:${attribute}`,
        nearest: nearestName(attribute, report.names),
      }
      return errors.HAVN_ERR_PYTHON_APP_ATTRIBUTE(seen)
    }
    case 'not-callable':
      return errors.HAVN_ERR_PYTHON_APP_NOT_CALLABLE({ target, type: report.type })
    case 'interface':
      return errors.HAVN_ERR_PYTHON_APP_INTERFACE({ target, signature: report.signature })
    case 'no-module':
      return errors.HAVN_ERR_PYTHON_APP_NO_MODULE({
        module: target.split(':')[0] ?? '',
        root: input.tree.root,
      })
    case 'import':
      return exceptionError(report, input.runtime.interpreter)
  }
}

function exceptionError(
  report: Extract<PythonAppFailure, { reason: 'import' }>,
  interpreter: string,
): HavnError {
  const { target, type, message, missingModule: module, exitCode, traceback: detail } = report
  if (type === 'SystemExit') {
    return errors.HAVN_ERR_PYTHON_APP_EXIT({ target, status: `sys.exit(${exitCode ?? ''})` }, { detail })
  }
  if (module) return errors.HAVN_ERR_PYTHON_APP_REQUIREMENT({ target, module, interpreter }, { detail })
  const [first = ''] = message.split('\n')
  return errors.HAVN_ERR_PYTHON_APP_IMPORT({ target, reason: first ? `${type}: ${first}` : type }, { detail })
}
