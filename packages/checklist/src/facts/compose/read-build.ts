import { dirname } from 'node:path/posix'
import type { YamlEntry } from '../yaml/yaml-node.ts'
import type { ComposeBuild, ComposeFile } from './compose.ts'
import { readEnvironment } from './read-environment.ts'
import { readText } from './read-text.ts'
import { resolveInProject } from '../resolve-in-project.ts'

/** `build:`, a context or a map. */
export function readBuild(
  { value, keyPlace }: YamlEntry,
  { source }: ComposeFile,
  variables: ReadonlyMap<string, string>,
): ComposeBuild {
  const text = (key: string) => {
    const node = value.at(key)
    const found = node === null ? null : readText(node, variables)
    return found?.isKnown ? found.text : null
  }
  const isDefault = value.isMap && !value.has('context')
  const given = value.isMap ? text('context') : (readText(value, variables)?.text ?? null)
  const context = isDefault ? resolveInProject(dirname(source.file), '.') : local(given, dirname(source.file))
  const isInline = value.has('dockerfile_inline')
  const name = value.has('dockerfile') ? text('dockerfile') : 'Dockerfile'
  return {
    context,
    dockerfile: context === null || isInline || name === null ? null : resolveInProject(context, name),
    target: text('target'),
    args: readEnvironment(value.at('args'), variables),
    place: value.isMap ? keyPlace : value.place,
  }
}

function local(context: string | null, folder: string): string | null {
  const isElsewhere = context === null || /^(?:[a-z][a-z0-9+.-]*:\/\/|git@|github\.com\/)/i.test(context)
  return isElsewhere || context.includes('$') ? null : resolveInProject(folder, context)
}
