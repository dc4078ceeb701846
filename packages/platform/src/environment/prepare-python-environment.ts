import { mkdir, writeFile } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import type { PythonProject } from '@havn/model'
import type { AppRuntime } from '@havn/plugin-api'
import { ownPythonEnvironment } from '@havn/process'
import { choosePython, type ChosenPython } from './choose-python.ts'
import type { EnvironmentInput } from './environment-input.ts'
import { withLock } from './environment-lock.ts'
import { environmentErrors } from './errors.ts'
import { fingerprintOf, readStamp, writeStamp } from './install-stamp.ts'
import { createOwnEnvironment } from './own-environment.ts'
import { planInstall, type InstallTarget } from './plan-install.ts'
import { readInstalledVersions } from './probe-python.ts'
import { parseRequirement, readRequirements, type NamedRequirement } from './requirement-names.ts'
import { runCommand, runStep } from './run-step.ts'
import { satisfies } from './version-specifier.ts'

const installStep = { id: 'requirements', title: 'Install requirements' }

/**
 * Finds the Python that an app runs with, and installs its requirements where that is ours to do.
 *
 * - An interpreter that was named (`--python`) and an activated environment (`VIRTUAL_ENV`) are used as they are.
 * - `.venv` or `venv` in the tree is the project's own: what the requirements name is installed into it; nothing
 *   is upgraded beyond that, and nothing is removed.
 * - Otherwise `.platform/venv` is made and kept up to date. An app without requirements needs none, and runs on the
 *   machine's interpreter.
 *
 * @throws HAVN_ERR_PYTHON_*, HAVN_ERR_REQUIREMENTS_*
 */
export async function preparePythonEnvironment(input: EnvironmentInput<PythonProject>): Promise<AppRuntime> {
  if (!input.install) return findPrepared(input)
  const state = join(input.root, '.platform')
  await mkdir(state, { recursive: true })
  await writeFile(join(state, '.gitignore'), '*\n')
  return withLock(join(state, 'environment.lock'), input.signal, async () => {
    const chosen = await choosePython(input)
    if (chosen.kind === 'named' || chosen.kind === 'active') return useAsItIs(input, chosen)
    const target = await ensureEnvironment(input, chosen)
    if (target === null) return toRuntime(chosen, input)
    await ensureInstalled(input, target)
    return toRuntime(target, input)
  })
}

/** What is there already; nothing on disk changes. */
async function findPrepared(input: EnvironmentInput<PythonProject>): Promise<AppRuntime> {
  const { root, project } = input
  const chosen = await choosePython(input)
  if (chosen.kind === 'base') {
    const missing = await readMissing(input, chosen, await readRequirements(root, project))
    if (missing.length > 0) {
      const seen = { interpreter: chosen.interpreter.executable, files: project.files, missing }
      throw environmentErrors.HAVN_ERR_REQUIREMENTS_MISSING(seen)
    }
  }
  await assertExtras(input, chosen, 'this command installs nothing')
  return toRuntime(chosen, input)
}

async function useAsItIs(input: EnvironmentInput<PythonProject>, chosen: ChosenPython): Promise<AppRuntime> {
  const because = chosen.kind === 'named' ? 'it was named' : 'VIRTUAL_ENV names its environment'
  await assertExtras(input, chosen, because)
  if (input.project.manager !== 'none') {
    const { executable } = chosen.interpreter
    const words = `${executable} is used as it is, since ${because}`
    input.onEvent({ type: 'job.skipped', job: installStep.id, title: installStep.title, because: words })
  }
  return toRuntime(chosen, input)
}

/** The environment to install into; null when the machine's own interpreter has all that the app needs. */
async function ensureEnvironment(
  input: EnvironmentInput<PythonProject>,
  chosen: ChosenPython,
): Promise<InstallTarget | null> {
  const { interpreter, environment } = chosen
  if (environment !== undefined) return { interpreter, environment }
  const hasRequirements = input.project.manager !== 'none'
  if (!hasRequirements && (await hasExtras(input, chosen))) return null
  // What an app without requirements imports lies in the machine's interpreter, and must stay visible.
  const created = await createOwnEnvironment(input, { base: interpreter, seesMachine: !hasRequirements })
  return { interpreter: created, environment: ownPythonEnvironment(input.root) }
}

async function ensureInstalled(input: EnvironmentInput<PythonProject>, target: InstallTarget): Promise<void> {
  const { root, project, extraRequirements, onEvent, signal } = input
  if (project.manager === 'none' && extraRequirements.length === 0) return
  const fingerprint = await fingerprintOf({
    root,
    project,
    version: target.interpreter.version,
    extraRequirements,
  })
  if ((await readStamp(target.environment))?.installed === fingerprint) {
    const because = `${project.files.join(' and ') || 'nothing'} has not changed`
    onEvent({ type: 'job.skipped', job: installStep.id, title: installStep.title, because })
    return
  }
  const plan = await planInstall(input, target)
  await runStep(installStep, input, async (onLine) => {
    if (plan.note) onLine(plan.note)
    // What is interrupted from here on is not taken as finished.
    await writeStamp(target.environment, { installed: null })
    for (const command of plan.commands) {
      const { failure, output } = await runCommand(command, { onLine, signal })
      if (failure === null) continue
      const seen = { command: [command.command, ...command.args].join(' '), status: failure }
      throw environmentErrors.HAVN_ERR_REQUIREMENTS_INSTALL(seen, { detail: output })
    }
    await writeStamp(target.environment, { installed: fingerprint })
  })
}

async function assertExtras(
  input: EnvironmentInput<PythonProject>,
  chosen: ChosenPython,
  because: string,
): Promise<void> {
  const missing = await readMissing(input, chosen, namedExtras(input))
  if (missing.length === 0) return
  const seen = { interpreter: chosen.interpreter.executable, missing, because }
  throw environmentErrors.HAVN_ERR_PYTHON_PACKAGES_MISSING(seen)
}

/** False also where a requirement has no name to look up, such as a URL. */
async function hasExtras(input: EnvironmentInput<PythonProject>, chosen: ChosenPython): Promise<boolean> {
  const named = namedExtras(input)
  if (named.length < input.extraRequirements.length) return false
  return (await readMissing(input, chosen, named)).length === 0
}

function namedExtras({ extraRequirements }: EnvironmentInput<PythonProject>): NamedRequirement[] {
  return extraRequirements.flatMap((text) => parseRequirement(text) ?? [])
}

async function readMissing(
  { env }: EnvironmentInput<PythonProject>,
  { interpreter }: ChosenPython,
  wanted: readonly NamedRequirement[],
): Promise<string[]> {
  const names = wanted.map(({ name }) => name)
  const versions = await readInstalledVersions(interpreter.executable, names, env)
  return wanted.flatMap(({ name, specifier }) => {
    const version = versions[name] ?? null
    return version !== null && satisfies(version, specifier) ? [] : [name + specifier]
  })
}

/** The interpreter as the app's processes get it: with an environment, as if that had been activated. */
async function toRuntime(
  { interpreter, environment }: Pick<ChosenPython, 'interpreter' | 'environment'>,
  input: EnvironmentInput<PythonProject>,
): Promise<AppRuntime> {
  const { VIRTUAL_ENV: _, ...env } = input.env
  const path = [dirname(interpreter.executable), env['PATH']].filter(Boolean).join(delimiter)
  return {
    language: 'python',
    interpreter: interpreter.executable,
    version: interpreter.version,
    env: { ...env, PATH: path, ...(environment !== undefined && { VIRTUAL_ENV: environment }) },
  }
}
