import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import type { NodeProject } from '@havn/model'
import type { AppRuntime } from '@havn/plugin-api'
import { findProgram } from '@havn/process'
import { z } from 'zod'
import type { EnvironmentInput } from './environment-input.ts'
import { withLock } from './environment-lock.ts'
import { environmentErrors } from './errors.ts'
import { fingerprintOf, readStamp, writeStamp } from './install-stamp.ts'
import { runCommand, runStep } from './run-step.ts'

const step = { id: 'packages', title: 'Install packages' }

const packageSchema = z.object({ dependencies: z.record(z.string(), z.string()).default({}) })

/**
 * Makes sure that an app's npm packages are there. The app runs on the Node that runs Havn. Packages that lie in a
 * folder above (a workspace) count; what the app's package.json names and cannot be found is installed with the
 * manager whose lock file the tree has.
 *
 * @throws HAVN_ERR_NODE_MODULES_MISSING, HAVN_ERR_NODE_MANAGER_MISSING, HAVN_ERR_NODE_INSTALL
 */
export async function prepareNodeEnvironment(input: EnvironmentInput<NodeProject>): Promise<AppRuntime> {
  const { root, install } = input
  const runtime = toRuntime(input)
  const names = await readDependencies(root)
  if (names.length === 0) return runtime
  if (!install) {
    const missing = await readMissing(root, names)
    if (missing.length > 0) throw environmentErrors.HAVN_ERR_NODE_MODULES_MISSING({ root, missing })
    return runtime
  }
  const state = join(root, '.platform')
  await mkdir(state, { recursive: true })
  await writeFile(join(state, '.gitignore'), '*\n')
  await withLock(join(state, 'environment.lock'), input.signal, () => ensureInstalled(input, runtime, names))
  return runtime
}

async function ensureInstalled(
  input: EnvironmentInput<NodeProject>,
  runtime: AppRuntime,
  names: readonly string[],
): Promise<void> {
  const { root, project, onEvent, signal } = input
  const state = join(root, '.platform')
  const fingerprint = await fingerprintOf({ root, project, version: runtime.version, extraRequirements: [] })
  const stamp = await readStamp(state)
  const isUnchanged = stamp === null || stamp.installed === fingerprint
  if (isUnchanged && (await readMissing(root, names)).length === 0) {
    onEvent({ type: 'job.skipped', job: step.id, title: step.title, because: 'all of them are installed' })
    return
  }
  const { command, args } = await planInstall(input)
  await runStep(step, input, async (onLine) => {
    await writeStamp(state, { installed: null })
    const result = await runCommand({ command, args, cwd: root, env: runtime.env }, { onLine, signal })
    if (result.failure !== null) {
      const seen = { command: [command, ...args].join(' '), status: result.failure }
      throw environmentErrors.HAVN_ERR_NODE_INSTALL(seen, { detail: result.output })
    }
    // The first install of a tree without a lock file writes one.
    const { version } = runtime
    await writeStamp(state, {
      installed: await fingerprintOf({ root, project, version, extraRequirements: [] }),
    })
  })
}

async function planInstall({
  root,
  project,
  env,
}: EnvironmentInput<NodeProject>): Promise<{ command: string; args: string[] }> {
  const manager = project.manager === 'none' ? 'npm' : project.manager
  const file = project.files.at(-1) ?? 'package.json'
  const command = await findProgram(manager, env)
  if (command === null) throw environmentErrors.HAVN_ERR_NODE_MANAGER_MISSING({ manager, file })
  switch (manager) {
    case 'npm': {
      const hasLock = /(package-lock|npm-shrinkwrap)\.json$/.test(file)
      return { command, args: [hasLock ? 'ci' : 'install', '--no-audit', '--no-fund'] }
    }
    case 'pnpm':
      return { command, args: ['install', '--frozen-lockfile'] }
    case 'yarn': {
      const isModern = await exists(join(root, '.yarnrc.yml'))
      return { command, args: ['install', isModern ? '--immutable' : '--frozen-lockfile'] }
    }
  }
}

async function readDependencies(root: string): Promise<string[]> {
  const text = await readFile(join(root, 'package.json'), 'utf8').catch(() => null)
  if (text === null) return []
  try {
    return Object.keys(packageSchema.parse(JSON.parse(text)).dependencies)
  } catch {
    return []
  }
}

/** Packages that Node would not find from the root. */
async function readMissing(root: string, names: readonly string[]): Promise<string[]> {
  const missing: string[] = []
  for (const name of names) {
    if (!(await isInstalled(root, name))) missing.push(name)
  }
  return missing
}

async function isInstalled(from: string, name: string): Promise<boolean> {
  for (let folder = from; ; folder = dirname(folder)) {
    if (await exists(join(folder, 'node_modules', name))) return true
    if (folder === dirname(folder)) return false
  }
}

function toRuntime({ env }: EnvironmentInput<NodeProject>): AppRuntime {
  const path = [dirname(process.execPath), env['PATH']].filter(Boolean).join(delimiter)
  return {
    language: 'node',
    interpreter: process.execPath,
    version: process.versions.node,
    env: { ...env, PATH: path },
  }
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null)) !== null
}
