import type { SourcePlace } from '@havn/plugin-api'
import { parseImage, type ImageReference } from '../image/parse-image.ts'
import type { YamlEntry, YamlNode } from '../yaml/yaml-node.ts'
import type { ComposeSurroundings } from './compose-surroundings.ts'
import type {
  ComposeBuild,
  ComposeCommand,
  ComposeDependency,
  ComposeEnvFile,
  ComposeFile,
  ComposeHealthcheck,
  ComposeMount,
  ComposePort,
  ComposeText,
  ComposeVariable,
} from './compose.ts'
import { readBuild } from './read-build.ts'
import { readCommand, readHealthcheck } from './read-command.ts'
import { readDuration } from './read-duration.ts'
import { readEnvFiles, readEnvironment } from './read-environment.ts'
import { readMounts } from './read-mounts.ts'
import { readPorts } from './read-ports.ts'
import { readText } from './read-text.ts'

/** `extends` of `extends`. */
const MAX_EXTENDS = 10

/**
 * A service of one compose file. What it sets itself and what it gets by `extends` are its settings; other files that
 * Compose merges with this one are in {@link base} and {@link overlays}.
 */
export class ComposeService {
  readonly name: string
  readonly file: ComposeFile
  /** Of its name. */
  readonly place: SourcePlace
  readonly node: YamlNode
  readonly #around: ComposeSurroundings

  constructor(file: ComposeFile, entry: YamlEntry, around: ComposeSurroundings) {
    this.name = entry.key
    this.file = file
    this.place = entry.keyPlace
    this.node = entry.value
    this.#around = around
  }

  /** As rules name what they are about: `services.web`. */
  get resource(): string {
    return `services.${this.name}`
  }

  /** The service that it extends; null without one, and where that cannot be found. */
  get extended(): ComposeService | null {
    return this.#around.extendedBy(this)
  }

  /** The service of this name in the compose.yaml that its file is laid over; null in that file. */
  get base(): ComposeService | null {
    return this.#around.baseOf(this)
  }

  /** The services of this name in files that are laid over this one, without those for development. */
  get overlays(): readonly ComposeService[] {
    return this.#around.overlaysOf(this)
  }

  /** It has an image or a build, and so can run by itself; an overlay may have neither. */
  get isWhole(): boolean {
    return this.setting('image') !== null || this.setting('build') !== null
  }

  /** A setting (`restart`; `deploy`, `resources`), of this service or of the one that it extends, with its places. */
  setting(...keys: readonly string[]): YamlEntry | null {
    for (const service of this.#lineage()) {
      const found = service.node.at(...keys.slice(0, -1))?.entry(keys.at(-1)!) ?? null
      // `!reset` takes a setting away, and so does an empty one.
      if (found !== null) return found.value.isNull ? null : found
    }
    return null
  }

  /** Whether such a setting is made here, in the base file, or in a file for production that is laid over this one. */
  hasAnywhere(...keys: readonly string[]): boolean {
    return [this, this.base, ...this.overlays].some((service) => service?.setting(...keys) != null)
  }

  get image(): ComposeText | null {
    return this.#text('image')
  }

  /** Null without an image, and where a variable in it is not known. */
  get imageReference(): ImageReference | null {
    const { image } = this
    return image?.isKnown ? parseImage(image.text) : null
  }

  get build(): ComposeBuild | null {
    const found = this.setting('build')
    return found === null ? null : readBuild(found, this.file, this.#variables)
  }

  get command(): ComposeCommand | null {
    const found = this.setting('command')
    return found === null ? null : readCommand(found.value, this.#variables)
  }

  get entrypoint(): ComposeCommand | null {
    const found = this.setting('entrypoint')
    return found === null ? null : readCommand(found.value, this.#variables)
  }

  /** By name. What `environment` sets wins over files, and the service over what it extends. */
  get environment(): ReadonlyMap<string, ComposeVariable> {
    const all = new Map<string, ComposeVariable>()
    for (const service of this.#lineage().toReversed()) {
      const { node, file } = service
      for (const { file: envFile } of readEnvFiles(node, file, this.#around))
        for (const variable of (envFile === null ? null : this.#around.envFile(envFile)) ?? [])
          all.set(variable.name, variable)
      for (const variable of readEnvironment(node.at('environment'), this.#variables))
        all.set(variable.name, variable)
    }
    return all
  }

  get envFiles(): readonly ComposeEnvFile[] {
    return this.#lineage().flatMap(({ node, file }) => readEnvFiles(node, file, this.#around))
  }

  get ports(): readonly ComposePort[] {
    return this.#lineage().flatMap(({ node }) => readPorts(node.at('ports'), this.#variables))
  }

  get mounts(): readonly ComposeMount[] {
    return this.#lineage().flatMap(({ node }) => readMounts(node.at('volumes'), this.#variables))
  }

  get healthcheck(): ComposeHealthcheck | null {
    const found = this.setting('healthcheck')
    return found === null ? null : readHealthcheck(found, this.#variables)
  }

  get dependsOn(): readonly ComposeDependency[] {
    const found = this.setting('depends_on')
    if (found === null) return []
    if (!found.value.isMap)
      return found.value
        .items()
        .flatMap(({ text, place }) =>
          text === null ? [] : [{ name: text, condition: 'service_started', place }],
        )
    return [...found.value.entries()].map(({ key, keyPlace, value }) => ({
      name: key,
      condition: value.at('condition')?.text ?? 'service_started',
      place: keyPlace,
    }))
  }

  /** `deploy.replicas`, or `scale`; null where neither is a number. */
  get replicas(): number | null {
    const found = this.setting('deploy', 'replicas') ?? this.setting('scale')
    return found === null ? null : this.#numberOf(found.value)
  }

  /** Null where it is not set: Compose then waits 10 seconds. */
  get stopGracePeriodMs(): number | null {
    const text = this.#text('stop_grace_period')
    return text === null ? null : readDuration(text.text)
  }

  /** It is started with one of these alone; always where there are none. */
  get profiles(): readonly string[] {
    return (this.setting('profiles')?.value.items() ?? []).flatMap(({ text }) => text ?? [])
  }

  get #variables(): ReadonlyMap<string, string> {
    return this.#around.variablesOf(this.file)
  }

  #text(key: string): ComposeText | null {
    const found = this.setting(key)
    return found === null ? null : readText(found.value, this.#variables)
  }

  #numberOf(node: YamlNode): number | null {
    const text = readText(node, this.#variables)?.text ?? ''
    return /^\d{1,9}$/.test(text) ? Number(text) : null
  }

  /** This one, and what it extends. */
  #lineage(): ComposeService[] {
    const services: ComposeService[] = [this]
    while (services.length < MAX_EXTENDS) {
      const next = services.at(-1)!.extended
      if (next === null || services.includes(next)) break
      services.push(next)
    }
    return services
  }
}
