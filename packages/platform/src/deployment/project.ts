import { realpath, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { AppFacts, PlatformConfig } from '@havn/model'
import {
  openSourceTree,
  type AppRuntime,
  type FrameworkOptions,
  type LifecycleEvent,
  type SourceTree,
} from '@havn/plugin-api'
import type { Registry } from '@havn/registry'
import { openRegistry } from '../builtin/open-registry.ts'
import { loadConfig, type LoadedConfig } from '../config/load-config.ts'
import { prepareEnvironment } from '../environment/prepare-environment.ts'
import { errors } from '../errors.ts'
import { appEnvironment } from './app-environment.ts'
import { detectApp } from './detect-app.ts'
import { runDirectoryOf } from './state-directories.ts'

/** A folder that holds an app, its configuration, and the plugins that both ask for. */
export interface Project {
  root: string
  loaded: LoadedConfig
  config: PlatformConfig
  tree: SourceTree
  registry: Registry
  runDirectory: string
  close(): Promise<void>
}

export interface ProjectOptions {
  directory: string
  configFile?: string
}

/** Where an app lies, and its configuration. @throws HAVN_ERR_DIRECTORY_MISSING, HAVN_ERR_CONFIG_* */
export async function locateProject({
  directory,
  configFile,
}: ProjectOptions): Promise<{ root: string; loaded: LoadedConfig }> {
  const asked = await directoryOf(resolve(directory))
  const loaded = await loadConfig(asked, configFile)
  const root = await directoryOf(
    resolve(loaded.directory, loaded.config.app?.directory ?? (configFile ? asked : '.')),
  )
  return { root, loaded }
}

/** Opens a folder; nothing of the app is run. @throws HAVN_ERR_DIRECTORY_MISSING, HAVN_ERR_CONFIG_* */
export async function openProject({ directory, configFile }: ProjectOptions): Promise<Project> {
  const { root, loaded } = await locateProject({ directory, configFile })
  const registry = await openRegistry({ root, config: loaded.config })
  return {
    root,
    loaded,
    config: loaded.config,
    tree: await openSourceTree(root),
    registry,
    runDirectory: runDirectoryOf(root),
    close: () => registry.close(),
  }
}

/** An app, found and understood, and the interpreter that runs it. */
export interface FoundApp {
  facts: AppFacts
  runtime: AppRuntime
}

/**
 * Detects the framework, prepares the interpreter's environment and reads the app's facts.
 *
 * @param input.install false changes nothing on disk: what is missing is an error.
 */
export async function findApp(
  project: Project,
  input: {
    install: boolean
    python?: string
    extraRequirements?: readonly string[]
    onEvent: (event: LifecycleEvent) => void
    signal: AbortSignal
  },
): Promise<FoundApp> {
  const { config, tree, registry } = project
  const options = frameworkOptions(config)
  const ids = registry.list().flatMap(({ id, kind }) => (kind === 'framework' ? [id] : []))
  const frameworks = await Promise.all(
    ids.map(async (id) => ({ id, instance: (await registry.open('framework', id)).instance })),
  )
  const detected = await detectApp({ tree, frameworks, options, only: config.app?.framework })
  const runtime = await prepareEnvironment({
    root: project.root,
    project: detected.detection.project,
    python: input.python ?? config.app?.python,
    env: appEnvironment(process.env, options.env),
    extraRequirements: input.extraRequirements ?? [],
    install: input.install,
    onEvent: input.onEvent,
    signal: input.signal,
  })
  const { framework, detection } = detected
  const facts = await framework.inspect({ tree, detection, runtime, options, signal: input.signal })
  return { facts: withConfiguredFiles(facts, project), runtime }
}

function frameworkOptions(config: PlatformConfig): FrameworkOptions {
  const { entry, interface: kind, healthPath, threadSafe, env } = config.app ?? {}
  return { entry, interface: kind, healthPath, threadSafe, env: env ?? {} }
}

/** Adds the folders that the config names, ahead of the framework's own. */
function withConfiguredFiles(facts: AppFacts, { config, loaded }: Project): AppFacts {
  const more = (config.staticFiles ?? []).map(({ url, directory, kind }) => ({
    url: `/${url.replace(/^\/+|\/+$/g, '')}/`.replace('//', '/'),
    directory: resolve(loaded.directory, directory),
    kind: kind ?? ('static' as const),
  }))
  return { ...facts, staticFiles: [...more, ...facts.staticFiles], env: { ...facts.env, ...config.app?.env } }
}

async function directoryOf(path: string): Promise<string> {
  const found = await stat(path).catch(() => null)
  if (!found?.isDirectory()) throw errors.HAVN_ERR_DIRECTORY_MISSING({ path })
  return realpath(path)
}
