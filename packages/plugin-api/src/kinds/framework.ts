import type { AppFacts, AppInterface, Evidence, Project } from '@havn/model'
import type { SourceTree } from '../source-tree.ts'

/** What the user said about the app, which wins over what a detector finds. */
export interface FrameworkOptions {
  /** `module:attribute`, or a file. */
  entry?: string
  interface?: AppInterface
  healthPath?: string
  threadSafe?: boolean
  /** Variables that the deployment gives the app. */
  env: Readonly<Record<string, string>>
}

/** What a source tree shows without running any of it. */
export interface Detection {
  framework: { id: string; name: string }
  project: Project
  evidence: Evidence[]
  /**
   * How sure: 1 names the framework by its own files (`manage.py`), lower by what is imported. The highest wins;
   * a tie is broken by the order of the plugins.
   */
  confidence: number
}

/** The interpreter in whose environment the app's requirements are installed. */
export interface AppRuntime {
  language: 'python' | 'node'
  /** Absolute path of the interpreter. */
  interpreter: string
  /** Such as `3.11.7`. */
  version: string
  /** The environment for child processes of the app: the machine's, less Havn's own, plus the deployment's. */
  env: Readonly<Record<string, string>>
}

/** Turns a source tree into app facts. */
export interface FrameworkContract {
  /** What was looked for, for the error that says that nothing was found: `manage.py with DJANGO_SETTINGS_MODULE`. */
  looksFor: readonly string[]
  /** Reads files only. */
  detect(tree: SourceTree, options: FrameworkOptions): Promise<Detection | null>
  /** May run the app's code in a child process, to read effective values rather than guess from text. */
  inspect(input: {
    tree: SourceTree
    detection: Detection
    runtime: AppRuntime
    options: FrameworkOptions
    signal: AbortSignal
  }): Promise<AppFacts>
}
