import type { ServerCommand, SetVariable, SourceText } from '@havn/checklist'
import type { SourcePlace } from '@havn/plugin-api'
import type { ContainerParts } from './container-paths.ts'

/** A number that a file says, or that holds where it says nothing. */
export interface Stated {
  value: number
  /** Null where no file says it. */
  place: SourcePlace | null
}

/** What asks whether a process works. */
export interface Probe {
  place: SourcePlace
  /** Null where it is not known. */
  port: number | null
  /** The Host header that it sends; null where it sends the address of the pod. */
  host: string | null
  /** Of a request; false for a command that sends none. */
  isHttp: boolean
  /** Programs that it runs. */
  programs: readonly string[]
}

export interface Mount {
  target: string
  /** Name of the volume, or path of the host; null for memory, and where it has none. */
  source: string | null
  place: SourcePlace
}

/** What runs somewhere: an image by itself, a service of compose, a container of Kubernetes. */
export interface Workload {
  kind: 'image' | 'compose' | 'kubernetes'
  file: string
  resource: string | null
  /** Of its name. */
  place: SourcePlace
  /** Of its image; null where that is built from a Dockerfile of the project, or not known. */
  image: string | null
  made: ContainerParts
  /** Servers that it starts. */
  commands: readonly ServerCommand[]
  /** Scripts that lead to them. */
  scripts: readonly SourceText[]
  /** What it starts, as it is written. */
  words: readonly { text: string; place: SourcePlace }[]
  environment: ReadonlyMap<string, SetVariable>
  /** Other variables come from a file or an object that nobody sees here. */
  hasHiddenVariables: boolean
  replicas: Stated
  /** More than `replicas` run while a new version comes. */
  surge: number
  /** Seconds between the signal to stop and the kill; null for an image. */
  graceSeconds: Stated | null
  /** Ports that others are led to. */
  ports: readonly { port: number; place: SourcePlace }[]
  probes: readonly Probe[]
  mounts: readonly Mount[]
  /** Where it says that its root is read-only; null where it is not. */
  readOnlyRoot: SourcePlace | null
  memoryBytes: Stated | null
  cpus: Stated | null
  /** It shares a network with others: of the machine, or with containers beside it. */
  sharesNetwork: boolean
}
