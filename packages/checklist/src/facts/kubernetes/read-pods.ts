import { parseImage } from '../image/parse-image.ts'
import type { YamlEntry, YamlNode } from '../yaml/yaml-node.ts'
import type {
  BuiltinKind,
  ContainerPort,
  ContainerProbe,
  ContainerVariable,
  ContainerWord,
  ObjectReference,
  PodContainer,
  PodTemplate,
  PodVolume,
} from './manifests.ts'

/** Where the pods of a kind are described. */
const TEMPLATES: Partial<Readonly<Record<BuiltinKind, readonly string[]>>> = {
  Pod: [],
  Deployment: ['spec', 'template'],
  StatefulSet: ['spec', 'template'],
  DaemonSet: ['spec', 'template'],
  ReplicaSet: ['spec', 'template'],
  ReplicationController: ['spec', 'template'],
  Job: ['spec', 'template'],
  CronJob: ['spec', 'jobTemplate', 'spec', 'template'],
}

/** The pods of an object; null for kinds that make none, and where it describes none. */
export function readPods(kind: BuiltinKind | null, object: YamlNode): PodTemplate | null {
  const path = kind === null ? undefined : TEMPLATES[kind]
  const template = path === undefined ? null : object.at(...path)
  const spec = template?.entry('spec') ?? null
  if (template === null || spec === null || !spec.value.isMap) return null
  const { value } = spec
  const inits = readContainers(value.at('initContainers'))
  // https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/
  const isSidecar = ({ node }: PodContainer) => node.at('restartPolicy')?.text === 'Always'
  return {
    labels: readTexts(template.at('metadata', 'labels')),
    annotations: readTexts(template.at('metadata', 'annotations')),
    spec: value,
    place: spec.keyPlace,
    containers: [...readContainers(value.at('containers')), ...inits.filter(isSidecar)],
    initContainers: inits.filter((container) => !isSidecar(container)),
    volumes: (value.at('volumes')?.items() ?? []).map(readVolume),
    terminationGracePeriodSeconds: value.at('terminationGracePeriodSeconds')?.number ?? null,
    serviceAccountName: value.at('serviceAccountName')?.text ?? value.at('serviceAccount')?.text ?? null,
    hostNetwork: value.at('hostNetwork')?.boolean === true,
  }
}

/** Labels, annotations, data: texts by name. */
export function readTexts(node: YamlNode | null): ReadonlyMap<string, string> {
  const texts = new Map<string, string>()
  for (const { key, value } of node?.entries() ?? []) if (value.text !== null) texts.set(key, value.text)
  return texts
}

function readContainers(list: YamlNode | null): PodContainer[] {
  return (list?.items() ?? []).filter(({ isMap }) => isMap).map(readContainer)
}

function readContainer(node: YamlNode): PodContainer {
  const name = node.at('name')
  const image = node.at('image')
  const place = name?.place ?? node.source.placeOfLine(node.place.line)
  return {
    name: name?.text ?? '',
    place,
    node,
    image: image?.text ?? null,
    imagePlace: image?.place ?? place,
    imageReference: image?.text == null ? null : parseImage(image.text),
    command: readWords(node.at('command')),
    args: readWords(node.at('args')),
    env: (node.at('env')?.items() ?? []).flatMap(readVariable),
    envFrom: (node.at('envFrom')?.items() ?? []).flatMap((from) => [
      ...referenceTo('ConfigMap', from.at('configMapRef'), 'name'),
      ...referenceTo('Secret', from.at('secretRef'), 'name'),
    ]),
    ports: (node.at('ports')?.items() ?? []).filter(({ isMap }) => isMap).map(readPort),
    probes: (['readiness', 'liveness', 'startup'] as const).flatMap((type) => {
      const found = node.entry(`${type}Probe`)
      return found === null || !found.value.isMap ? [] : [readProbe(type, found)]
    }),
    mounts: (node.at('volumeMounts')?.items() ?? []).map((mount) => ({
      name: mount.at('name')?.text ?? '',
      mountPath: mount.at('mountPath')?.text ?? '',
      isReadOnly: mount.at('readOnly')?.boolean === true,
      place: mount.at('mountPath')?.place ?? mount.place,
    })),
  }
}

function readWords(node: YamlNode | null): ContainerWord[] {
  return (node?.items() ?? []).flatMap(({ text, place }) => (text === null ? [] : [{ text, place }]))
}

function readVariable(node: YamlNode): ContainerVariable[] {
  const name = node.at('name')
  if (name?.text == null) return []
  const value = node.at('value')
  const from = node.at('valueFrom')
  return [
    {
      name: name.text,
      value: value?.text ?? (from === null ? '' : null),
      from:
        [
          ...referenceTo('ConfigMap', from?.at('configMapKeyRef') ?? null, 'name'),
          ...referenceTo('Secret', from?.at('secretKeyRef') ?? null, 'name'),
        ][0] ?? null,
      place: value?.place ?? name.place,
      namePlace: name.place,
    },
  ]
}

function referenceTo(kind: ObjectReference['kind'], node: YamlNode | null, key: string): ObjectReference[] {
  const name = node?.at(key)
  if (name?.text == null) return []
  return [{ kind, name: name.text, isOptional: node!.at('optional')?.boolean === true, place: name.place }]
}

function readPort(node: YamlNode): ContainerPort {
  return {
    name: node.at('name')?.text ?? null,
    containerPort: node.at('containerPort')?.number ?? null,
    hostPort: node.at('hostPort')?.number ?? null,
    protocol: node.at('protocol')?.text ?? 'TCP',
    place: node.at('containerPort')?.place ?? node.place,
  }
}

function readProbe(type: ContainerProbe['type'], { value: node, keyPlace }: YamlEntry): ContainerProbe {
  const http = node.at('httpGet')
  const port = (http ?? node.at('tcpSocket') ?? node.at('grpc'))?.at('port') ?? null
  const exec = node.at('exec')
  const header = http
    ?.at('httpHeaders')
    ?.items()
    .find((each) => each.at('name')?.text?.toLowerCase() === 'host')
  const host = header?.at('value') ?? http?.at('host') ?? null
  return {
    type,
    node,
    place: keyPlace,
    http:
      http === null
        ? null
        : {
            path: http.at('path')?.text ?? '/',
            scheme: (http.at('scheme')?.text ?? 'http').toLowerCase(),
            hostHeader: host?.text ?? null,
            hostPlace: host?.place ?? keyPlace,
          },
    port: port?.text == null ? null : { text: port.text, place: port.place },
    command: exec === null ? null : readWords(exec.at('command')),
  }
}

function readVolume(node: YamlNode): PodVolume {
  const path = node.at('hostPath', 'path')
  const projected = node.at('projected', 'sources')?.items() ?? []
  return {
    name: node.at('name')?.text ?? '',
    node,
    place: node.at('name')?.place ?? node.place,
    hostPath: path?.text ?? null,
    hostPathPlace: path?.place ?? null,
    references: [
      ...referenceTo('ConfigMap', node.at('configMap'), 'name'),
      ...referenceTo('Secret', node.at('secret'), 'secretName'),
      ...referenceTo('PersistentVolumeClaim', node.at('persistentVolumeClaim'), 'claimName'),
      ...projected.flatMap((source) => [
        ...referenceTo('ConfigMap', source.at('configMap'), 'name'),
        ...referenceTo('Secret', source.at('secret'), 'name'),
      ]),
    ],
  }
}
