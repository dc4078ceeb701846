import type { Evidence } from '@havn/model'
import type { Detection, FrameworkOptions, SourceTree } from '@havn/plugin-api'
import { findEntry } from './find-entry.ts'
import { readNodeProject, readPackageJson } from './package-json.ts'
import { readModule } from './read-module.ts'

const scriptFile = /\.[cm]?[jt]sx?(#[\w$]+)?$/

/** Recognises a Node app by package.json and the text of its modules. */
export async function detectNode(tree: SourceTree, options: FrameworkOptions): Promise<Detection | null> {
  const { entry: named } = options
  if (named !== undefined && !scriptFile.test(named)) return null
  const json = await readPackageJson(tree)
  const project = await readNodeProject(tree, json)
  if (named !== undefined) {
    const text = await tree.read(named.replace(/#.*/, '').replace(/^\.\//, ''))
    const name = text === null ? null : readModule(text).framework?.name
    const evidence = [{ fact: 'entry.target', because: `the deployment names ${named}` }]
    return { framework: { id: 'framework.node', name: name ?? 'Node' }, project, evidence, confidence: 0.9 }
  }

  const entry = await findEntry(tree, json)
  if (!entry) return null
  const { signs, file } = entry
  const name = signs.framework?.name ?? 'Node'
  const evidence: Evidence[] = [
    {
      fact: 'framework',
      because: signs.framework ? `${file} imports ${signs.framework.package}` : `${file} handles requests`,
      file,
    },
  ]
  const isSure = signs.framework !== null && signs.exportLine !== null
  return { framework: { id: 'framework.node', name }, project, evidence, confidence: isSure ? 0.75 : 0.5 }
}
