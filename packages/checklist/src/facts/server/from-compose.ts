import type { ComposeCommand, ComposeFile } from '../compose/compose.ts'
import type { ComposeService } from '../compose/compose-service.ts'
import type { Dockerfile, DockerStage } from '../dockerfile/dockerfile.ts'
import type { ShellWord } from '../shell/parse-shell.ts'
import type { CommandReader } from './command-reader.ts'
import { readStage } from './from-dockerfiles.ts'
import { isDevelopmentName } from './is-development.ts'
import type { CommandOrigin, ServerCommand, SetVariable } from './server-command.ts'

/** The servers that services start: by commands of their own, or by what their image starts. */
export async function fromCompose(
  reader: CommandReader,
  files: readonly ComposeFile[],
  dockerfiles: readonly Dockerfile[],
): Promise<ServerCommand[]> {
  const services = files.flatMap((file) => file.services)
  const found: ServerCommand[] = []
  for (const service of services) {
    const { dockerfile, stage } = imageOf(service, services, dockerfiles)
    const origin: CommandOrigin = {
      kind: 'compose',
      file: service.file.source.file,
      resource: service.resource,
      isDevelopment: service.file.isDevelopment || isDevelopmentName(service.name) || mountsSource(service),
      isContainer: true,
      dockerfile,
      stage,
      service,
      pod: null,
    }
    const environment = new Map<string, SetVariable>(
      [...service.environment.values()].map(({ name, value, place }) => [name, { value, place }]),
    )
    const entrypoint = toWords(service.entrypoint)
    const command = toWords(service.command)
    found.push(...(await readStage(reader, { origin, environment, entrypoint, command })))
  }
  return found
}

/** The image that a service builds, or that another service builds for it under the same name. */
function imageOf(
  service: ComposeService,
  services: readonly ComposeService[],
  dockerfiles: readonly Dockerfile[],
): { dockerfile: Dockerfile | null; stage: DockerStage | null } {
  const image = service.image?.text
  const build =
    service.build ??
    service.base?.build ??
    services.find((other) => image !== undefined && other.build !== null && other.image?.text === image)
      ?.build ??
    null
  const dockerfile = dockerfiles.find(({ source }) => source.file === build?.dockerfile) ?? null
  const target = build?.target?.toLowerCase() ?? null
  const stage = target === null ? undefined : dockerfile?.stages.find(({ name }) => name === target)
  return { dockerfile, stage: stage ?? dockerfile?.final ?? null }
}

/** Nobody runs production from a folder that is edited. */
function mountsSource({ mounts }: ComposeService): boolean {
  return mounts.some(
    ({ type, source }) =>
      type === 'bind' &&
      /^(?:\.\.?\/?|\.\/(?:src|app|backend|server|web)\/?|\$\{?PWD\}?)$/.test(source ?? ''),
  )
}

function toWords(command: ComposeCommand | null): ShellWord[] | null {
  return command === null ? null : command.words.map((text, at) => ({ text, place: command.places[at]! }))
}
