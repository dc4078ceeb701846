import { dirname } from 'node:path/posix'
import type { SourceText } from '../../source/source-text.ts'
import { resolveInProject } from '../resolve-in-project.ts'
import type { YamlNode } from '../yaml/yaml-node.ts'
import type { Kustomization } from './manifests.ts'

/** Reads a kustomization.yaml, as far as rules need it not to misjudge what it puts together. */
export function readKustomization(node: YamlNode, source: SourceText): Kustomization {
  const folder = dirname(source.file)
  const texts = (key: string) => (node.at(key)?.items() ?? []).flatMap(({ text }) => text ?? [])
  const paths = (key: string, below: string) =>
    (node.at(key)?.items() ?? []).flatMap((item) => item.at(below)?.text ?? [])
  const inProject = (path: string) => (/^[a-z]+:|\n/.test(path) ? [] : (resolveInProject(folder, path) ?? []))
  const generated = (['ConfigMap', 'Secret'] as const).flatMap((kind) =>
    paths(kind === 'ConfigMap' ? 'configMapGenerator' : 'secretGenerator', 'name').map((name) => ({
      kind,
      name,
    })),
  )
  return {
    source,
    node,
    resources: ['resources', 'bases', 'components'].flatMap(texts).flatMap(inProject),
    patches: [
      ...texts('patchesStrategicMerge'),
      ...paths('patches', 'path'),
      ...paths('patchesJson6902', 'path'),
    ].flatMap(inProject),
    namespace: node.at('namespace')?.text ?? null,
    images: new Set(paths('images', 'name')),
    generated,
  }
}
