import { readFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { PythonProject } from '@havn/model'
import { isErrorCode } from '@havn/model/errors'
import { parsePyproject, toVersionSpecifier, type Pyproject } from '@havn/plugin-api'
import { findProgram } from '@havn/process'
import type { EnvironmentInput } from './environment-input.ts'
import { environmentErrors } from './errors.ts'
import type { PythonInterpreter } from './probe-python.ts'
import type { StepCommand } from './run-step.ts'

/** The commands that install an app's requirements, and why they are not the project's own manager's. */
export interface InstallPlan {
  commands: StepCommand[]
  note?: string
}

export interface InstallTarget {
  interpreter: PythonInterpreter
  /** Folder of the virtual environment. */
  environment: string
}

/**
 * Plans how a project's requirements come into an environment: by the manager whose lock file the tree has, where
 * it is on the PATH, and by pip otherwise.
 *
 * @throws HAVN_ERR_REQUIREMENTS_TOOL when a requirement has a form that only the manager knows.
 */
export async function planInstall(
  input: EnvironmentInput<PythonProject>,
  target: InstallTarget,
): Promise<InstallPlan> {
  const { project, extraRequirements } = input
  const [file = ''] = project.files
  const folder = resolve(input.root, dirname(file))
  const env = { ...input.env, VIRTUAL_ENV: target.environment }
  const uv = await findProgram('uv', input.env)
  const pip = (args: string[]) => pipInstall({ target, uv, args, cwd: folder, env })
  const extras = extraRequirements.length > 0 ? [pip([...extraRequirements])] : []

  if (project.manager === 'none') return { commands: extras }
  if (project.manager === 'uv' && uv !== null) {
    return { commands: [uvSync(uv, target, folder, env), ...extras] }
  }
  const poetry = project.manager === 'poetry' ? await findProgram('poetry', input.env) : null
  const viaPoetry = () => ({ commands: [poetryInstall(poetry ?? '', folder, env), ...extras] })
  const isLocked = project.files.some((name) => name.endsWith('.lock'))
  if (poetry !== null && isLocked) return viaPoetry()
  try {
    const wanted = await readWanted(input, folder)
    const note = `${project.manager} is not on the PATH: pip installs what pyproject.toml names, without the lock file`
    return { commands: [pip([...wanted, ...extraRequirements])], ...(isLocked && { note }) }
  } catch (error) {
    // Without a lock file Poetry would write one into the tree: it is asked where pip cannot do it.
    if (poetry !== null && isErrorCode(error, 'HAVN_ERR_REQUIREMENTS_TOOL')) return viaPoetry()
    throw error
  }
}

/** pip's arguments for everything that the project's file names. */
async function readWanted(
  { root, project }: EnvironmentInput<PythonProject>,
  folder: string,
): Promise<string[]> {
  const [file = ''] = project.files
  if (file.endsWith('.txt')) return ['-r', join(root, file)]
  if (!file.endsWith('.toml')) return [folder]
  const pyproject = parsePyproject(await readFile(join(root, file), 'utf8'))
  if (pyproject?.project?.dynamic?.includes('dependencies')) return [folder]
  const [source] = Object.keys(pyproject?.tool?.uv?.sources ?? {})
  if (source) throw environmentErrors.HAVN_ERR_REQUIREMENTS_TOOL({ tool: 'uv', requirement: source })
  return [...(pyproject?.project?.dependencies ?? []), ...poetryRequirements(pyproject)]
}

/** Poetry's own table as requirement specifiers (PEP 508). */
export function poetryRequirements(pyproject: Pyproject | null): string[] {
  const requirements: string[] = []
  for (const [name, constraint] of Object.entries(pyproject?.tool?.poetry?.dependencies ?? {})) {
    if (name === 'python') continue
    const parts = typeof constraint === 'string' ? { version: constraint } : (constraint as PoetryDependency)
    if (parts.optional) continue
    const specifier = typeof parts.version === 'string' ? toVersionSpecifier(parts.version) : null
    const isPlain = specifier !== null && !parts.python && !parts.platform && !parts.source
    if (!isPlain) throw environmentErrors.HAVN_ERR_REQUIREMENTS_TOOL({ tool: 'poetry', requirement: name })
    const extras = parts.extras ? `[${parts.extras.join(',')}]` : ''
    requirements.push(`${name}${extras}${specifier}${parts.markers ? ` ; ${parts.markers}` : ''}`)
  }
  return requirements
}

interface PoetryDependency {
  version?: string
  extras?: string[]
  markers?: string
  optional?: boolean
  python?: string
  platform?: string
  source?: string
}

function pipInstall(input: {
  target: InstallTarget
  uv: string | null
  args: string[]
  cwd: string
  env: Readonly<Record<string, string>>
}): StepCommand {
  const { target, uv, args, cwd, env } = input
  const { executable, base, hasPip } = target.interpreter
  // An environment that uv made has no pip in it.
  if (!hasPip && uv !== null)
    return { command: uv, args: ['pip', 'install', '--python', executable, ...args], cwd, env }
  const elsewhere = hasPip ? [] : ['--python', executable]
  const options = ['--disable-pip-version-check', '--no-input', '--progress-bar', 'off']
  const command = hasPip ? executable : base
  return { command, args: ['-m', 'pip', ...elsewhere, 'install', ...options, ...args], cwd, env }
}

function uvSync(
  uv: string,
  { interpreter, environment }: InstallTarget,
  cwd: string,
  env: Readonly<Record<string, string>>,
): StepCommand {
  // --inexact leaves alone what else is in the environment, such as the server's own requirements.
  const args = [
    'sync',
    '--frozen',
    '--inexact',
    '--no-dev',
    '--no-progress',
    '--python',
    interpreter.executable,
  ]
  return { command: uv, args, cwd, env: { ...env, UV_PROJECT_ENVIRONMENT: environment } }
}

function poetryInstall(poetry: string, cwd: string, env: Readonly<Record<string, string>>): StepCommand {
  // Poetry installs into the environment that VIRTUAL_ENV names.
  const args = ['install', '--no-interaction', '--no-ansi', '--only', 'main', '--no-root']
  return { command: poetry, args, cwd, env: { ...env, POETRY_VIRTUALENVS_CREATE: 'false' } }
}
