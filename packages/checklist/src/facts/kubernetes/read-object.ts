import type { SourceText } from '../../source/source-text.ts'
import type { YamlNode } from '../yaml/yaml-node.ts'
import { BUILTIN_GROUPS, type BuiltinKind, type KubernetesObject } from './manifests.ts'
import { readPods, readTexts } from './read-pods.ts'

const MAX_LIST_DEPTH = 3

/** The objects of a document: one, those of a List, or none where it is something else. */
export function readObjects(document: YamlNode, source: SourceText, depth = 0): KubernetesObject[] {
  const apiVersion = document.at('apiVersion')?.text ?? null
  const kind = document.at('kind')?.text ?? null
  if (apiVersion === null || kind === null) return []
  const items = document.at('items')
  // `List` of any kind: `kubectl get --output yaml` writes it, and ConfigMapList and others are the same.
  if (kind.endsWith('List') && items !== null && items.isList && depth < MAX_LIST_DEPTH)
    return items.items().flatMap((item) => readObjects(item, source, depth + 1))
  return [readObject(document, { apiVersion, kind, source })]
}

function readObject(
  node: YamlNode,
  { apiVersion, kind, source }: { apiVersion: string; kind: string; source: SourceText },
): KubernetesObject {
  const slash = apiVersion.indexOf('/')
  const group = slash === -1 ? '' : apiVersion.slice(0, slash)
  const builtin = toBuiltin(kind, group)
  const name = node.at('metadata', 'name')
  const pods = readPods(builtin, node)
  return {
    apiVersion,
    group,
    kind,
    builtin,
    name: name?.text ?? null,
    namespace: node.at('metadata', 'namespace')?.text ?? null,
    labels: readTexts(node.at('metadata', 'labels')),
    node,
    source,
    place: name?.place ?? node.at('kind')!.place,
    resource: `${kind}/${name?.text ?? node.at('metadata', 'generateName')?.text ?? '?'}`,
    isPartial: isPartial(builtin, node, pods),
    pods,
  }
}

function toBuiltin(kind: string, group: string): BuiltinKind | null {
  if (!Object.hasOwn(BUILTIN_GROUPS, kind)) return null
  const groups: readonly string[] = BUILTIN_GROUPS[kind as BuiltinKind]
  return groups.includes(group) ? (kind as BuiltinKind) : null
}

/** A workload that no API server would take: the rest of it is elsewhere, as with patches. */
function isPartial(builtin: BuiltinKind | null, node: YamlNode, pods: KubernetesObject['pods']): boolean {
  if (node.has('$patch') || node.at('spec', '$patch') !== null) return true
  switch (builtin) {
    case 'Deployment':
    case 'StatefulSet':
    case 'DaemonSet':
    case 'Job':
    case 'CronJob':
    case 'Pod':
      return pods === null || !pods.containers.some(({ image }) => image !== null)
    case 'Service':
      return !node.has('spec')
    default:
      return false
  }
}
