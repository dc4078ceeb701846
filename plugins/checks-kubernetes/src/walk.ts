import type {
  BuiltinKind,
  KubernetesObject,
  Manifests,
  PodContainer,
  PodTemplate,
  YamlNode,
} from '@havn/checklist'

/** Kinds whose pods stay up. */
const STAYING: ReadonlySet<BuiltinKind | null> = new Set<BuiltinKind>([
  'Deployment',
  'StatefulSet',
  'DaemonSet',
  'ReplicaSet',
  'ReplicationController',
])

/** An object that makes pods. */
export interface Workload {
  object: KubernetesObject
  pods: PodTemplate
  /** Its pods are to stay up, and are replaced where they end; those of jobs, and single ones, are not. */
  isStaying: boolean
}

export interface WorkloadContainer extends Workload {
  container: PodContainer
  isInit: boolean
}

/** All objects that are whole, of one kind where one is given. */
export function objectsOf({ objects }: Manifests, kind?: BuiltinKind): KubernetesObject[] {
  return objects.filter((object) => !object.isPartial && (kind === undefined || object.builtin === kind))
}

export function workloadsOf(manifests: Manifests): Workload[] {
  return objectsOf(manifests).flatMap((object) =>
    object.pods === null ? [] : [{ object, pods: object.pods, isStaying: STAYING.has(object.builtin) }],
  )
}

/** All containers of all workloads, those that run before the others included. */
export function containersOf(manifests: Manifests): WorkloadContainer[] {
  return workloadsOf(manifests).flatMap((workload) => [
    ...workload.pods.containers.map((container) => ({ ...workload, container, isInit: false })),
    ...workload.pods.initContainers.map((container) => ({ ...workload, container, isInit: true })),
  ])
}

/** A setting of the container's security context, or else of the pod's. */
export function securityOf(
  { container, pods }: WorkloadContainer,
  ...keys: readonly string[]
): YamlNode | null {
  return container.node.at('securityContext', ...keys) ?? pods.spec.at('securityContext', ...keys)
}

/** Where an object goes, as far as its file says it: what says nothing goes where the others do. */
export function isSameNamespace(one: KubernetesObject, other: KubernetesObject): boolean {
  return one.namespace === other.namespace || one.namespace === null || other.namespace === null
}

/** Whether labels have all that a selector wants; no selector, or an empty one, selects nothing here. */
export function selects(selector: ReadonlyMap<string, string>, labels: ReadonlyMap<string, string>): boolean {
  return selector.size > 0 && [...selector].every(([name, value]) => labels.get(name) === value)
}

export function textsOf(node: YamlNode | null): Map<string, string> {
  const texts = new Map<string, string>()
  for (const { key, value } of node?.entries() ?? []) if (value.text !== null) texts.set(key, value.text)
  return texts
}

/** Names and labels of what Kustomize puts together are not those of the files. */
export function isRelabelled({ kustomizations }: Manifests): boolean {
  return kustomizations.some(({ node }) =>
    ['commonLabels', 'labels', 'namePrefix', 'nameSuffix'].some((key) => node.has(key)),
  )
}
