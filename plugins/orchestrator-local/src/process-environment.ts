import { delimiter, dirname } from 'node:path'
import type { ProcessSpec } from '@havn/model'
import type { AppRuntime } from '@havn/plugin-api'
import { errors } from './errors.ts'
import type { RunContext } from './run-context.ts'

/**
 * A process's whole environment: the app's, then its own variables, then its secrets, whose values are looked
 * up by name in this machine's environment and go nowhere else.
 *
 * @throws HAVN_ERR_LOCAL_SECRET_MISSING
 */
export function processEnvironment(
  name: string,
  spec: ProcessSpec,
  context: RunContext,
): Record<string, string> {
  const { release, runtime } = context
  const base = runtime ? { ...runtime.env } : definedOnly(process.env)
  const secrets = spec.secrets.map((secret) => ({
    ...secret,
    value: process.env[secret.name] ?? base[secret.name],
  }))
  const missing = secrets.filter(({ value }) => value === undefined)
  if (missing.length > 0) {
    throw errors.HAVN_ERR_LOCAL_SECRET_MISSING({ process: name, names: missing.map((secret) => secret.name) })
  }
  return {
    ...base,
    ...pathOf(base, runtime),
    ...release.app.env,
    ...spec.env,
    ...Object.fromEntries(secrets.map(({ env, value }) => [env, value!])),
  }
}

/** Programs of the app's Python environment come first, as in an activated one. */
function pathOf(
  base: Readonly<Record<string, string>>,
  runtime: AppRuntime | undefined,
): Record<string, string> {
  if (runtime?.language !== 'python') return {}
  const scripts = dirname(runtime.interpreter)
  const folders = (base['PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '' && folder !== scripts)
  return { PATH: [scripts, ...folders].join(delimiter) }
}

function definedOnly(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  )
}
