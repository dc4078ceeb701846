import { HavnError } from '@havn/model/errors'
import { errors } from './errors.ts'

/** The phases of a plugin's life that take time, in order. */
export type PluginPhase = 'load' | 'setup' | 'start' | 'health' | 'drain' | 'dispose'

/** How long each phase may take, in milliseconds. */
export type PhaseTimeouts = Readonly<Record<PluginPhase, number>>

export const defaultPhaseTimeouts: PhaseTimeouts = {
  load: 20_000,
  setup: 10_000,
  start: 30_000,
  health: 10_000,
  drain: 35_000,
  dispose: 10_000,
}

export interface PhaseOptions<Result> {
  id: string
  phase: PluginPhase
  timeoutMs: number
  /** The signal is aborted when the phase's time is over. */
  run(signal: AbortSignal): Result | Promise<Result>
}

/**
 * Runs one phase of a plugin's life with a time limit. A plugin that ignores the signal is left behind: what
 * it says afterwards is not heard.
 *
 * @throws HAVN_ERR_PLUGIN_TIMEOUT when its time is over.
 * @throws HAVN_ERR_PLUGIN_SETUP for whatever the plugin threw.
 */
export async function runPhase<Result>(options: PhaseOptions<Result>): Promise<Result> {
  const { id, phase, timeoutMs, run } = options
  const controller = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const error = errors.HAVN_ERR_PLUGIN_TIMEOUT({ id, phase, timeoutMs })
      reject(error)
      controller.abort(error)
    }, timeoutMs)
  })
  const work = Promise.resolve()
    .then(() => run(controller.signal))
    .catch((error) => {
      throw toPhaseError(id, phase, error)
    })
  try {
    return await Promise.race([work, timeout])
  } finally {
    clearTimeout(timer)
  }
}

function toPhaseError(id: string, phase: PluginPhase, cause: unknown): HavnError {
  const problem = cause instanceof Error ? cause.message : String(cause)
  const detail =
    cause instanceof HavnError ? [cause.hint, cause.detail].filter(Boolean).join('\n') : stackOf(cause)
  return errors.HAVN_ERR_PLUGIN_SETUP({ id, phase, problem }, { cause, detail })
}

/** The plugin's own stack: its authors need it, and it isn't ours. */
function stackOf(cause: unknown): string | undefined {
  return cause instanceof Error ? cause.stack : undefined
}
