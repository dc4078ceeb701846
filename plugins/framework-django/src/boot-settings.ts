import { join } from 'node:path'
import {
  chooseDjangoSettings,
  type AppRuntime,
  type ChosenSettings,
  type DjangoLayout,
  type FrameworkOptions,
} from '@havn/plugin-api'
import { isErrorCode, type HavnError } from '@havn/model/errors'
import { runProgram, type RunResult } from '@havn/process'
import { errors } from './errors.ts'
import { settingsReportSchema, type BootedSettings, type BootFailure } from './settings-report.ts'

const script = join(import.meta.dirname, '../python/inspect_settings.py')

const BOOT_TIMEOUT_SECONDS = 60
/** Python ends itself at the timeout, and says where it stood; this much later it is ended from outside. */
const GRACE_MS = 5_000

export interface BootInput {
  /** Absolute folder of the project. */
  directory: string
  project: DjangoLayout | null
  runtime: AppRuntime
  options: FrameworkOptions
  signal: AbortSignal
  timeoutSeconds?: number
}

/**
 * Boots the project in a Python of its own, the way a server does, and reads its settings' effective values.
 *
 * @throws HAVN_ERR_DJANGO_*
 */
export async function bootSettings(input: BootInput): Promise<BootedSettings> {
  const { directory, runtime, signal, timeoutSeconds = BOOT_TIMEOUT_SECONDS } = input
  const settings = chooseSettings(input)
  const name = settings.module ?? 'The settings'
  const request = { entries: entriesToLoad(input), timeout: timeoutSeconds }
  const result = await runProgram({
    command: runtime.interpreter,
    args: [script, JSON.stringify(request)],
    cwd: directory,
    env: {
      ...runtime.env,
      ...input.options.env,
      ...(settings.module !== null && { DJANGO_SETTINGS_MODULE: settings.module }),
      PYTHONDONTWRITEBYTECODE: '1',
    },
    timeoutMs: timeoutSeconds * 1000 + GRACE_MS,
    signal,
  }).catch((error: unknown) => {
    if (!isErrorCode(error, 'HAVN_ERR_PROCESS_TIMEOUT')) throw error
    const seen = { settings: name, seconds: timeoutSeconds }
    throw errors.HAVN_ERR_DJANGO_SETTINGS_TIMEOUT(seen, { detail: (error as HavnError).detail })
  })
  const report = parseReport(result)
  if (report === null) throw endedEarly(result, name, timeoutSeconds)
  if (!report.ok) throw bootError(report, input, name)
  return report
}

/** The deployment's choice, then the environment's, then the project's own. @throws HAVN_ERR_DJANGO_SETTINGS_UNKNOWN */
export function chooseSettings({
  project,
  options,
  runtime,
}: Omit<BootInput, 'directory' | 'signal'>): ChosenSettings {
  const chosen = chooseDjangoSettings(project, [
    { module: options.env['DJANGO_SETTINGS_MODULE'], who: 'the deployment' },
    { module: runtime.env['DJANGO_SETTINGS_MODULE'], who: 'the environment' },
  ])
  if (chosen) return chosen
  const looked = project?.manage ? [project.manage.file] : ['manage.py', 'wsgi.py', 'asgi.py']
  throw errors.HAVN_ERR_DJANGO_SETTINGS_UNKNOWN({ looked })
}

/** The entries that a server could run: the user's, or those that the tree has. */
function entriesToLoad({ project, options }: BootInput): Record<string, string> {
  if (options.entry !== undefined) {
    const kind = options.interface ?? (/asgi/i.test(options.entry) ? 'asgi' : 'wsgi')
    return { [kind]: options.entry.includes(':') ? options.entry : `${options.entry}:application` }
  }
  return {
    ...(project?.wsgi && { wsgi: `${project.wsgi.module}:application` }),
    ...(project?.asgi && { asgi: `${project.asgi.module}:application` }),
  }
}

function parseReport({ code, stdout }: RunResult) {
  if (code !== 0 || stdout === '') return null
  return settingsReportSchema.parse(JSON.parse(stdout))
}

function endedEarly({ code, signal, stderr }: RunResult, settings: string, seconds: number): HavnError {
  const detail = stderr.trimEnd()
  // faulthandler's own words.
  if (/^Timeout \(/m.test(stderr))
    return errors.HAVN_ERR_DJANGO_SETTINGS_TIMEOUT({ settings, seconds }, { detail })
  const status = signal ? `signal ${signal}` : `exit code ${code}`
  return errors.HAVN_ERR_DJANGO_SETTINGS_EXIT({ settings, status }, { detail })
}

function bootError(failure: BootFailure, { runtime, project }: BootInput, settings: string): HavnError {
  const { stage, missingModule: module, missingVariable: variable, exitCode } = failure
  const extras = { detail: failure.traceback }
  const { interpreter } = runtime
  const isDjangoMissing = stage === 'django' || module === 'django'
  if (isDjangoMissing) return errors.HAVN_ERR_DJANGO_MISSING({ interpreter }, extras)
  if (failure.type === 'SystemExit') {
    const seen = { settings, status: `sys.exit(${exitCode ?? ''})` }
    return errors.HAVN_ERR_DJANGO_SETTINGS_EXIT(seen, extras)
  }
  if (variable) {
    const named = project?.manage?.settings?.module
    const otherSettings = named === settings ? undefined : named
    return errors.HAVN_ERR_DJANGO_VARIABLE({ settings, variable, otherSettings }, extras)
  }
  if (module) return errors.HAVN_ERR_DJANGO_MODULE({ settings, module, interpreter }, extras)
  return errors.HAVN_ERR_DJANGO_SETTINGS({ settings, reason: reasonOf(failure) }, extras)
}

/** `ImproperlyConfigured: …`, its first line. */
export function reasonOf({ type, message }: BootFailure): string {
  const [first = ''] = message.split('\n')
  return first ? `${type}: ${first}` : type
}
