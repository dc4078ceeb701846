import { basename, delimiter, join } from 'node:path'
import { appFactsSchema, type AppFacts, type Evidence } from '@havn/model'
import type { AppRuntime, Detection, FrameworkOptions, SourceTree } from '@havn/plugin-api'
import type { FoundPythonApp } from './app-report.ts'
import { importApp } from './import-app.ts'

/** Reads a Python app's facts by importing it in a child process. @throws HAVN_ERR_PYTHON_APP_* */
export async function inspectPython(input: {
  tree: SourceTree
  detection: Detection
  runtime: AppRuntime
  options: FrameworkOptions
  signal: AbortSignal
}): Promise<AppFacts> {
  const { tree, detection, runtime, options } = input
  const found = await importApp(input)
  const name = found.framework ?? (found.interface === 'wsgi' ? 'WSGI' : 'ASGI')
  const path = options.healthPath ?? found.health ?? '/'
  return appFactsSchema.parse({
    name: basename(tree.root),
    root: tree.root,
    framework: { ...detection.framework, name, ...(found.version !== null && { version: found.version }) },
    project: detection.project,
    entry: { interface: options.interface ?? found.interface, target: found.target },
    threadSafe: options.threadSafe ?? true,
    env: environmentOf(found, tree, runtime),
    health: { path, host: 'localhost' },
    evidence: [
      ...detection.evidence.filter(({ fact }) => fact === 'framework'),
      ...entryEvidence(found, options),
      { fact: 'health.path', because: whyHealth(found, options) },
    ],
  })
}

/** A package under `src` is imported from there. */
function environmentOf(
  { folder }: FoundPythonApp,
  tree: SourceTree,
  { env }: AppRuntime,
): Record<string, string> {
  if (folder === null) return {}
  return { PYTHONPATH: [join(tree.root, folder), env['PYTHONPATH']].filter(Boolean).join(delimiter) }
}

function entryEvidence(found: FoundPythonApp, { entry, interface: asked }: FrameworkOptions): Evidence[] {
  const { file, line, because } = found
  const target = entry === undefined ? `${file} defines ${found.target}` : `the deployment names ${entry}`
  return [
    { fact: 'entry.target', because: target, ...(file !== null && { file }), ...(line !== null && { line }) },
    { fact: 'entry.interface', because: asked === undefined ? because : `the deployment says ${asked}` },
  ]
}

function whyHealth({ health }: FoundPythonApp, { healthPath }: FrameworkOptions): string {
  if (healthPath !== undefined) return 'the deployment names it'
  return health === null ? 'the app has no route of a usual name for it' : 'the app has a route for it'
}
