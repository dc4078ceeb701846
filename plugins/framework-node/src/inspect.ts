import { basename } from 'node:path'
import { appFactsSchema, type AppFacts, type Evidence } from '@havn/model'
import type { AppRuntime, Detection, FrameworkOptions, SourceTree } from '@havn/plugin-api'
import { errors } from './errors.ts'
import { findEntry } from './find-entry.ts'
import { readPackageJson } from './package-json.ts'
import { readModule, type ModuleSigns } from './read-module.ts'

/**
 * Reads a Node app's facts from its text. Nothing is imported: a module may listen, or connect, when it is.
 *
 * @throws HAVN_ERR_NODE_ENTRY_MISSING
 */
export async function inspectNode(input: {
  tree: SourceTree
  detection: Detection
  runtime: AppRuntime
  options: FrameworkOptions
}): Promise<AppFacts> {
  const { tree, detection, runtime, options } = input
  const { file, target, signs, evidence } = await readEntry(tree, options)
  const version = signs.framework ? await readVersion(tree, signs.framework.package) : null
  const hasMode = 'NODE_ENV' in runtime.env || 'NODE_ENV' in options.env
  return appFactsSchema.parse({
    name: basename(tree.root),
    root: tree.root,
    framework: { ...detection.framework, ...(version !== null && { version }) },
    project: detection.project,
    entry: { interface: options.interface ?? signs.interface, target },
    threadSafe: options.threadSafe ?? true,
    env: hasMode ? {} : { NODE_ENV: 'production' },
    health: { path: options.healthPath ?? signs.healthPath ?? '/', host: 'localhost' },
    evidence: [
      ...detection.evidence.filter(({ fact }) => fact === 'framework'),
      ...evidence,
      interfaceEvidence(signs, options, file),
      ...listenEvidence(signs, file),
      { fact: 'health.path', because: whyHealth(signs, options), file },
      ...(hasMode ? [] : [{ fact: 'env.NODE_ENV', because: 'nothing else sets it' }]),
    ],
  })
}

async function readEntry(
  tree: SourceTree,
  { entry: named }: FrameworkOptions,
): Promise<{ file: string; target: string; signs: ModuleSigns; evidence: Evidence[] }> {
  if (named !== undefined) {
    const file = named.replace(/#.*/, '').replace(/^\.\//, '')
    const text = await tree.read(file)
    if (text === null) throw errors.HAVN_ERR_NODE_ENTRY_MISSING({ file, root: tree.root })
    const evidence = [{ fact: 'entry.target', because: `the deployment names ${named}`, file }]
    return { file, target: named, signs: readModule(text), evidence }
  }
  const entry = await findEntry(tree, await readPackageJson(tree))
  if (!entry)
    throw errors.HAVN_ERR_NODE_ENTRY_MISSING({
      file: 'app.ts or server.ts that exports an app',
      root: tree.root,
    })
  const { file, signs, isNamed } = entry
  const { exportLine: line } = signs
  const who = isNamed ? 'package.json names it, and it' : 'it'
  const because = line === null ? `${who} listens by itself` : `${who} exports the app as its default`
  return {
    file,
    target: file,
    signs,
    evidence: [{ fact: 'entry.target', because, file, ...(line !== null && { line }) }],
  }
}

/** The installed version, where the package lies in the tree. */
async function readVersion(tree: SourceTree, name: string): Promise<string | null> {
  const text = await tree.read(`node_modules/${name}/package.json`)
  const version = text === null ? null : /"version"\s*:\s*"([^"]+)"/.exec(text)?.[1]
  return version ?? null
}

function interfaceEvidence(
  { because }: ModuleSigns,
  { interface: asked }: FrameworkOptions,
  file: string,
): Evidence {
  return {
    fact: 'entry.interface',
    because: asked === undefined ? because : `the deployment says ${asked}`,
    file,
  }
}

function listenEvidence({ listenLine, exportLine }: ModuleSigns, file: string): Evidence[] {
  if (listenLine === null) return []
  const because =
    exportLine === null
      ? 'it calls listen() and exports no app: run it as it is, with server = { id: "server.command", config: { command: ["npm", "start"] } }, or export the app as default'
      : 'it also calls listen() when it is imported: move that to a module of its own, or guard it with import.meta.main'
  return [{ fact: 'entry.listen', because, file, line: listenLine }]
}

function whyHealth({ healthPath }: ModuleSigns, options: FrameworkOptions): string {
  if (options.healthPath !== undefined) return 'the deployment names it'
  return healthPath === null ? 'it has no route of a usual name for it' : 'it has a route for it'
}
