import type { SetVariable } from '../server/server-command.ts'
import type { KubernetesObject, ObjectReference, PodContainer } from './manifests.ts'

/** What a container is given by its object and the project's ConfigMaps. */
export interface GivenVariables {
  variables: ReadonlyMap<string, SetVariable>
  /** Others come by `envFrom` from Secrets, or from what is not in the project. */
  hasHidden: boolean
}

/** Reads `envFrom`, then `env`, which comes before it: what a ConfigMap's key holds, and null for a Secret's. */
export function givenVariables(
  { source, namespace }: KubernetesObject,
  { env, envFrom, node }: PodContainer,
  objects: readonly KubernetesObject[],
): GivenVariables {
  const folder = folderOf(source.file)
  const find = (reference: ObjectReference) => findMap(reference, { folder, namespace, objects })
  const variables = new Map<string, SetVariable>()
  const add = (name: string, { map, others }: Found, key: string) => {
    const entry = map.node.at('data')?.entry(key)
    const value = entry?.value.text ?? null
    if (entry == null || value === null) return
    // An overlay may put another value in its place, and nobody knows which one is deployed.
    const isSame = others.every((other) => (other.node.at('data', key)?.text ?? value) === value)
    variables.set(name, { value: isSame ? value : null, place: entry.value.place })
  }

  // With a prefix, the names are others.
  const hasPrefix =
    node
      .at('envFrom')
      ?.items()
      .some((each) => each.at('prefix') !== null) ?? false
  let hasHidden = hasPrefix
  for (const reference of hasPrefix ? [] : envFrom) {
    const found = find(reference)
    if (found === null) hasHidden = true
    else for (const { key } of found.map.node.at('data')?.entries() ?? []) add(key, found, key)
  }
  const written = node.at('env')?.items() ?? []
  for (const { name, from } of env) {
    const found = from === null ? null : find(from)
    const key = written
      .find((each) => each.at('name')?.text === name)
      ?.at('valueFrom', 'configMapKeyRef', 'key')?.text
    if (found !== null && key != null) add(name, found, key)
  }
  for (const { name, value, place } of env)
    variables.set(name, { value: value ?? variables.get(name)?.value ?? null, place })
  return { variables, hasHidden }
}

interface Found {
  map: KubernetesObject
  /** Of the same name elsewhere, in overlays perhaps. */
  others: readonly KubernetesObject[]
}

/** The ConfigMap beside the workload, or the only one of its name. */
function findMap(
  { kind, name }: ObjectReference,
  {
    folder,
    namespace,
    objects,
  }: { folder: string; namespace: string | null; objects: readonly KubernetesObject[] },
): Found | null {
  if (kind !== 'ConfigMap') return null
  const maps = objects.filter(
    (each) =>
      each.builtin === 'ConfigMap' &&
      each.name === name &&
      (each.namespace === null || namespace === null || each.namespace === namespace),
  )
  const near = maps.filter(({ source }) => folderOf(source.file) === folder)
  const [map, ...more] = near.length > 0 ? near : maps
  if (map === undefined || more.length > 0) return null
  return { map, others: maps.filter((each) => each !== map) }
}

function folderOf(file: string): string {
  return file.slice(0, file.lastIndexOf('/') + 1)
}
