import type { SourcePlace } from '@havn/plugin-api'
import type { YamlFile } from '../yaml/read-yaml.ts'
import type { YamlNode } from '../yaml/yaml-node.ts'
import type { ComposeService } from './compose-service.ts'

/**
 * What a compose file is for, by its name: `production` (docker-compose.prod.yml, stack.yml), `development`
 * (compose.override.yaml, docker-compose.dev.yml, local.yml; test, ci, debug, examples), or `any` (compose.yaml).
 */
export type ComposePurpose = 'any' | 'development' | 'production'

/** A compose file by itself. What Compose lays over it is known by its services: `base` and `overlays`. */
export interface ComposeFile extends YamlFile {
  /** Without what could not be read. */
  root: YamlNode | null
  purpose: ComposePurpose
  /** It is made for development: so it is named, or the files for production beside it stand alone. */
  isDevelopment: boolean
  /** Of this file, in its order. */
  services: readonly ComposeService[]
}

/** A text of a compose file, with its variables put in. */
export interface ComposeText {
  /** With the values of `.env` beside the file and the defaults (`${TAG:-latest}`); else as it is written. */
  text: string
  /** All variables in it have a value. */
  isKnown: boolean
  /** As it is written. */
  raw: string
  place: SourcePlace
}

/** `command:` or `entrypoint:`. */
export interface ComposeCommand {
  /** Of a text, split as Compose does it. */
  words: readonly string[]
  /** Of each word, when it is a list; of the whole text otherwise. */
  places: readonly SourcePlace[]
  place: SourcePlace
}

/** A variable of a service's environment. */
export interface ComposeVariable {
  name: string
  /** Null where the shell that runs Compose gives it, or a variable in it is not known. */
  value: string | null
  /** As it is written; null without a value. */
  raw: string | null
  /** Of the name with its value. */
  place: SourcePlace
  /** The file that `env_file` names; null for `environment`, which wins. */
  envFile: string | null
}

/** An entry of `env_file`. */
export interface ComposeEnvFile {
  /** Relative to the project; null where it leads out of it, or a variable in it is not known. */
  file: string | null
  isRequired: boolean
  /** It is there. */
  exists: boolean
  place: SourcePlace
}

/** An entry of `ports`, in either of its forms. */
export interface ComposePort {
  /** The address of the host; null for all of them. */
  hostIp: string | null
  /** On the host, `8000` or `8000-8010`; null for one that Docker chooses. */
  published: string | null
  /** In the container: a number, or a range as it is written. */
  target: string
  /** `tcp` or `udp`. */
  protocol: string
  place: SourcePlace
}

/** An entry of `volumes` or `tmpfs` of a service. */
export interface ComposeMount {
  type: 'bind' | 'volume' | 'tmpfs' | 'other'
  /** A path of the host, or the name of a volume; null for an unnamed one. */
  source: string | null
  target: string
  isReadOnly: boolean
  place: SourcePlace
}

/** What `build` says of an image that the project makes itself. */
export interface ComposeBuild {
  /** Relative to the project's root; null for one that lies elsewhere (a URL, a folder above). */
  context: string | null
  /** Relative to the project's root; null like the context, or for `dockerfile_inline`. */
  dockerfile: string | null
  target: string | null
  args: readonly ComposeVariable[]
  place: SourcePlace
}

/** What `healthcheck` says. */
export interface ComposeHealthcheck {
  /** `disable: true`, or `test: NONE`. */
  isDisabled: boolean
  /** The command: words of a list behind `CMD` or `CMD-SHELL`, or one text; null where only times are set. */
  test: ComposeCommand | null
  isShell: boolean
  place: SourcePlace
}

/** An entry of `depends_on`. */
export interface ComposeDependency {
  name: string
  /** `service_started` where none is named. */
  condition: string
  place: SourcePlace
}
