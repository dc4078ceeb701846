import { basename, dirname } from 'node:path/posix'
import type { YamlNode } from '../yaml/yaml-node.ts'

/** Folders of Helm charts: those that hold a Chart.yaml. */
export function chartFolders(files: readonly string[]): ReadonlySet<string> {
  return new Set(files.filter((file) => basename(file) === 'Chart.yaml').map((file) => dirname(file)))
}

/** The chart whose template a file is; null for all other files. */
export function chartOf(file: string, charts: ReadonlySet<string>): string | null {
  for (let folder = dirname(file); folder !== '.' && folder !== '/'; folder = dirname(folder)) {
    if (basename(folder) !== 'templates') continue
    const chart = dirname(folder)
    if (charts.has(chart)) return chart
  }
  return null
}

/**
 * Whether a file with `{{` or `{%` in it is a template: what stands there unquoted is no YAML that anybody means, while
 * alerts and workflows have it within texts.
 */
export function isTemplate(text: string, documents: readonly YamlNode[], hasProblems: boolean): boolean {
  if (!/\{\{|\{%/.test(text)) return false
  return hasProblems || documents.some((document) => hasPlainBraces(document))
}

const MAX_NODES = 20_000

function hasPlainBraces(root: YamlNode): boolean {
  const nodes = [root]
  for (let at = 0; at < nodes.length && at < MAX_NODES; at++) {
    const { content } = nodes[at]!
    if (content.type === 'scalar' && content.isPlain && /\{\{|\{%/.test(content.text)) return true
    if (content.type === 'list') nodes.push(...content.items)
    if (content.type === 'map')
      for (const { key, value } of content.entries.values()) {
        if (/^\s*(?:\{\{|\{%)/.test(key)) return true
        nodes.push(value)
      }
  }
  return false
}
