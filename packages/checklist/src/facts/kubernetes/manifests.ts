import type { SourcePlace } from '@havn/plugin-api'
import type { ImageReference } from '../image/parse-image.ts'
import type { SourceText } from '../../source/source-text.ts'
import type { YamlProblem } from '../yaml/read-yaml.ts'
import type { YamlNode } from '../yaml/yaml-node.ts'

/** A file, or a folder of them, that is not looked at, and why. */
export interface SkippedManifests {
  /** Of the folder's first file. */
  place: SourcePlace
  /** The chart's folder, or the file. */
  name: string
  files: number
  /** `helm`: templates of a chart. `template`: a file with `{{ }}` or `{% %}`. `size`: one that is too large to be read. */
  reason: 'helm' | 'template' | 'size'
}

/** All Kubernetes objects of a project. */
export interface Manifests {
  /** By file, in order; patches of Kustomize included, see {@link KubernetesObject.isPartial}. */
  objects: readonly KubernetesObject[]
  kustomizations: readonly Kustomization[]
  problems: readonly YamlProblem[]
  skipped: readonly SkippedManifests[]
}

/** An object of the API, of whatever kind. */
export interface KubernetesObject {
  apiVersion: string
  /** `apps` of `apps/v1`; empty for the core. */
  group: string
  kind: string
  /** The kind, where the group is one in which Kubernetes itself has or had it; null for all others. */
  builtin: BuiltinKind | null
  /** Null where it has only `generateName`. */
  name: string | null
  /** As it is written; null where none is. */
  namespace: string | null
  labels: ReadonlyMap<string, string>
  node: YamlNode
  source: SourceText
  /** Of its name, or of its kind. */
  place: SourcePlace
  /** As rules name what they are about: `Deployment/web`. */
  resource: string
  /** A patch of Kustomize, or else not the whole object: what it lacks is elsewhere. */
  isPartial: boolean
  /** The pods that it makes, or is; null for kinds that make none. */
  pods: PodTemplate | null
}

/** The built-in kinds that rules ask for by name. */
export type BuiltinKind = keyof typeof BUILTIN_GROUPS

/** The groups that each kind is in, or was. */
export const BUILTIN_GROUPS = {
  Pod: [''],
  Deployment: ['apps', 'extensions'],
  StatefulSet: ['apps'],
  DaemonSet: ['apps', 'extensions'],
  ReplicaSet: ['apps', 'extensions'],
  ReplicationController: [''],
  Job: ['batch'],
  CronJob: ['batch'],
  Service: [''],
  Ingress: ['networking.k8s.io', 'extensions'],
  IngressClass: ['networking.k8s.io'],
  NetworkPolicy: ['networking.k8s.io', 'extensions'],
  ConfigMap: [''],
  Secret: [''],
  PersistentVolumeClaim: [''],
  PersistentVolume: [''],
  StorageClass: ['storage.k8s.io'],
  CSIStorageCapacity: ['storage.k8s.io'],
  Namespace: [''],
  ServiceAccount: [''],
  Role: ['rbac.authorization.k8s.io'],
  ClusterRole: ['rbac.authorization.k8s.io'],
  RoleBinding: ['rbac.authorization.k8s.io'],
  ClusterRoleBinding: ['rbac.authorization.k8s.io'],
  PodDisruptionBudget: ['policy'],
  PodSecurityPolicy: ['policy', 'extensions'],
  HorizontalPodAutoscaler: ['autoscaling'],
  LimitRange: [''],
  ResourceQuota: [''],
  PriorityClass: ['scheduling.k8s.io'],
  RuntimeClass: ['node.k8s.io'],
  Lease: ['coordination.k8s.io'],
  EndpointSlice: ['discovery.k8s.io'],
  Event: ['', 'events.k8s.io'],
  APIService: ['apiregistration.k8s.io'],
  CustomResourceDefinition: ['apiextensions.k8s.io'],
  MutatingWebhookConfiguration: ['admissionregistration.k8s.io'],
  ValidatingWebhookConfiguration: ['admissionregistration.k8s.io'],
  FlowSchema: ['flowcontrol.apiserver.k8s.io'],
  PriorityLevelConfiguration: ['flowcontrol.apiserver.k8s.io'],
} as const

/** The pods of a workload: of `spec.template`, of a CronJob's jobs, or a Pod itself. */
export interface PodTemplate {
  labels: ReadonlyMap<string, string>
  annotations: ReadonlyMap<string, string>
  /** `spec` of the pod. */
  spec: YamlNode
  /** Of the key `spec`. */
  place: SourcePlace
  /** All that run; those of `initContainers` with `restartPolicy: Always` are of them. */
  containers: readonly PodContainer[]
  initContainers: readonly PodContainer[]
  volumes: readonly PodVolume[]
  /** Null where it is not a number; Kubernetes waits 30 seconds where none is set. */
  terminationGracePeriodSeconds: number | null
  serviceAccountName: string | null
  hostNetwork: boolean
}

/** A container of a pod template, init containers and sidecars included. */
export interface PodContainer {
  name: string
  /** Of its name, or of its first line. */
  place: SourcePlace
  node: YamlNode
  image: string | null
  imagePlace: SourcePlace
  /** Null without an image. */
  imageReference: ImageReference | null
  command: readonly ContainerWord[]
  args: readonly ContainerWord[]
  env: readonly ContainerVariable[]
  /** Of `envFrom`. */
  envFrom: readonly ObjectReference[]
  ports: readonly ContainerPort[]
  probes: readonly ContainerProbe[]
  mounts: readonly { name: string; mountPath: string; isReadOnly: boolean; place: SourcePlace }[]
}

/** A word of `command` or `args`. */
export interface ContainerWord {
  text: string
  place: SourcePlace
}

/** A ConfigMap, Secret or claim that a pod names. */
export interface ObjectReference {
  kind: 'ConfigMap' | 'Secret' | 'PersistentVolumeClaim'
  name: string
  isOptional: boolean
  place: SourcePlace
}

/** An entry of `env`. */
export interface ContainerVariable {
  name: string
  /** Null where it comes from elsewhere. */
  value: string | null
  /** What `valueFrom` names; null for a value, and for fields of the pod. */
  from: ObjectReference | null
  /** Of the value, or the name. */
  place: SourcePlace
  /** Of the name. */
  namePlace: SourcePlace
}

/** An entry of `ports`. */
export interface ContainerPort {
  name: string | null
  containerPort: number | null
  hostPort: number | null
  protocol: string
  place: SourcePlace
}

/** A startup, readiness or liveness probe. */
export interface ContainerProbe {
  type: 'readiness' | 'liveness' | 'startup'
  node: YamlNode
  /** Of its key. */
  place: SourcePlace
  /** `httpGet`; null for the other ways. */
  http: {
    path: string
    /** `http` or `https`. */
    scheme: string
    /** Of `host`, or the header `Host`; null where the pod's address is sent. */
    hostHeader: string | null
    hostPlace: SourcePlace
  } | null
  /** A number or a port's name, of `httpGet`, `tcpSocket` or `grpc`; null for `exec`. */
  port: ContainerWord | null
  /** `exec`. */
  command: readonly ContainerWord[] | null
}

/** An entry of `volumes`. */
export interface PodVolume {
  name: string
  node: YamlNode
  place: SourcePlace
  hostPath: string | null
  /** Of the hostPath. */
  hostPathPlace: SourcePlace | null
  references: readonly ObjectReference[]
}

/** A kustomization.yaml. */
export interface Kustomization {
  source: SourceText
  node: YamlNode
  /** Folders and files of the project that it takes in. */
  resources: readonly string[]
  /** Files of the project that are patches. */
  patches: readonly string[]
  namespace: string | null
  /** Images that it gives another tag or name. */
  images: ReadonlySet<string>
  /** Names of the ConfigMaps and Secrets that it makes. */
  generated: readonly { kind: 'ConfigMap' | 'Secret'; name: string }[]
}
