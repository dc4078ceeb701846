import {
  composeFiles,
  defineFact,
  dockerContexts,
  dockerfiles,
  givenVariables,
  instructionsOfStage,
  isDevelopmentName,
  manifests,
  serverCommands,
  shellOf,
  SourceText,
} from '@havn/checklist'
import type {
  ComposeService,
  Dockerfile,
  DockerInstruction,
  GivenVariables,
  KubernetesObject,
  PodContainer,
  ServerCommand,
  SetVariable,
} from '@havn/checklist'
import type { SourcePlace } from '@havn/plugin-api'
import { besideFile } from './container-paths.ts'
import { readBytes, readCpus } from './read-quantity.ts'
import type { Probe, Stated, Workload } from './workload.ts'

/** Kubernetes' own. */
const GRACE_SECONDS = 30
/** Compose's own. */
const COMPOSE_GRACE_SECONDS = 10
const MAX_SCRIPTS = 500

/** What runs in production: images, services, containers; each with the servers that it starts. */
export const workloads = defineFact<readonly Workload[]>({
  id: 'workloads',
  title: 'Workloads',
  async collect({ tree, get }) {
    const commands = ((await get(serverCommands)) ?? []).filter(({ origin }) => !origin.isDevelopment)
    const scripts = new Map<string, SourceText>()
    for (const file of scriptFiles(commands)) {
      const text = await tree.read(file)
      if (text !== null) scripts.set(file, new SourceText(file, text))
    }

    const found: Workload[] = []
    for (const dockerfile of (await get(dockerfiles)) ?? [])
      if (!isDevelopmentName(dockerfile.source.file) && dockerfile.final !== null)
        found.push(
          ofImage(
            dockerfile,
            commands.filter(({ origin }) => origin.kind === 'dockerfile' && origin.dockerfile === dockerfile),
          ),
        )
    for (const file of (await get(composeFiles)) ?? [])
      for (const service of file.isDevelopment ? [] : file.services) {
        const own = commands.filter(({ origin }) => origin.service === service)
        if (isDevelopmentService(service)) continue
        found.push(ofService(service, own))
      }
    const objects = (await get(manifests))?.objects ?? []
    for (const object of objects)
      for (const container of object.pods?.containers ?? [])
        if (!isDevelopmentName(object.source.file))
          found.push(
            ofContainer(
              object,
              container,
              commands.filter(({ origin }) => origin.pod?.container === container),
              givenVariables(object, container, objects),
            ),
          )

    if (found.length === 0) return null
    const contexts = await get(dockerContexts)
    return found.map((each) => ({
      ...each,
      made: { ...each.made, context: each.made.context ?? contextOf(each.commands, contexts) },
      scripts: [...new Set(scriptFiles(each.commands))].flatMap((file) => scripts.get(file) ?? []),
    }))
  },
})

/** The same for rules that know something without any: an empty list then. */
export const anyWorkloads = defineFact<readonly Workload[]>({
  id: 'any-workloads',
  title: 'Workloads, where there are any',
  collect: async ({ get }) => (await get(workloads)) ?? [],
})

/** Folder that the image of what runs is built with, as far as its Dockerfile tells. */
function contextOf(
  commands: readonly ServerCommand[],
  contexts: ReadonlyMap<string, { folder: string }> | null,
): string | null {
  const dockerfile = commands[0]?.origin.dockerfile
  return (dockerfile == null ? null : contexts?.get(dockerfile.source.file)?.folder) ?? null
}

/** Files that commands stand in, without those that are read as something else. */
function scriptFiles(commands: readonly ServerCommand[]): string[] {
  const files = commands.flatMap(({ place, via }) => [place, ...via].map(({ file }) => file))
  return [...new Set(files)]
    .filter(
      (file) =>
        /\.(?:sh|bash)$|(?:^|\/)[\w-]+$/.test(file) && !/Dockerfile|Containerfile|Procfile/.test(file),
    )
    .slice(0, MAX_SCRIPTS)
}

/** The folder that is edited is mounted into it, or it is named so. */
function isDevelopmentService({ name, mounts, build, file }: ComposeService): boolean {
  const context = build?.context ?? null
  return (
    isDevelopmentName(name) ||
    isDevelopmentName(build?.dockerfile ?? '') ||
    mounts.some(
      ({ type, source }) =>
        type === 'bind' &&
        source !== null &&
        (/^\.\.?\/?$/.test(source) ||
          (context !== null && besideFile(file.source.file, source)?.replace(/\/$/, '') === context)),
    )
  )
}

const ONE: Stated = { value: 1, place: null }

function ofImage({ source, final }: Dockerfile, commands: readonly ServerCommand[]): Workload {
  const instructions = instructionsOfStage(final)
  const ports = instructions
    .filter(({ keyword }) => keyword === 'EXPOSE')
    .flatMap(({ words }) =>
      words.flatMap(({ text, place }) =>
        /^\d+(?:\/tcp)?$/.test(text) ? [{ port: Number.parseInt(text, 10), place }] : [],
      ),
    )
  const health = instructions.findLast(({ keyword }) => keyword === 'HEALTHCHECK')
  return {
    kind: 'image',
    file: source.file,
    resource: final?.name == null ? null : `stage ${final.name}`,
    place: final!.from.place,
    image: null,
    made: { service: null, stage: final, context: null },
    commands,
    scripts: [],
    words: instructions
      .filter(({ keyword }) => keyword === 'CMD' || keyword === 'ENTRYPOINT')
      .map(({ rest, place }) => ({ text: rest.text, place })),
    environment: commands[0]?.environment ?? new Map(),
    hasHiddenVariables: true,
    replicas: ONE,
    surge: 0,
    graceSeconds: null,
    ports,
    probes: health?.inner == null ? [] : [toProbe(wordsOf(health.inner), health.place)],
    mounts: [],
    readOnlyRoot: null,
    memoryBytes: null,
    cpus: null,
    sharesNetwork: false,
  }
}

function wordsOf(instruction: DockerInstruction): string[] {
  return instruction.exec === null
    ? shellOf(instruction).flatMap(({ program, args }) => [program, ...args.map(({ text }) => text)])
    : [...instruction.exec]
}

/** A command that asks: what it runs, and what for. */
function toProbe(words: readonly string[], place: SourcePlace): Probe {
  const text = words.join(' ')
  const url = /\bhttps?:\/\/(\[[^\]]*\]|[\w.-]+)(?::(\d+))?/.exec(text)
  const header = /(?:^|\s)(?:-H|--header)[\s=]+["']?host:\s*([\w.:-]+)/i.exec(text)?.[1]
  // `curl localhost:8000/health` without a scheme.
  const bare = /\b(?:curl|wget)\b.*\s(localhost|127\.0\.0\.1)(?::(\d+))?(?:\/|\s|$)/.exec(text)
  const target = url ?? bare
  const isPlain = !/^https:/.test(url?.[0] ?? '')
  const port = target === null ? null : target[2] === undefined ? (isPlain ? 80 : 443) : Number(target[2])
  const programs = words.flatMap((word) =>
    [...word.matchAll(/(?:^|[\s;&|(/])(curl|wget|nc|pg_isready|redis-cli)(?=\s|$)/g)].map(
      ([, name]) => name!,
    ),
  )
  return {
    place,
    port: text.includes('$') && target?.[2] === undefined ? null : port,
    host: header ?? target?.[1] ?? null,
    isHttp: target !== null,
    programs,
  }
}

function ofService(service: ComposeService, commands: readonly ServerCommand[]): Workload {
  const environment = new Map<string, SetVariable>(
    [...service.environment.values()].map(({ name, value, place }) => [name, { value, place }]),
  )
  const grace = service.setting('stop_grace_period')
  const graceMs = service.stopGracePeriodMs
  const replicas = service.setting('deploy', 'replicas') ?? service.setting('scale')
  const order = service.setting('deploy', 'update_config', 'order')?.value.text
  const memory = service.setting('deploy', 'resources', 'limits', 'memory') ?? service.setting('mem_limit')
  const cpus = service.setting('deploy', 'resources', 'limits', 'cpus') ?? service.setting('cpus')
  const health = service.healthcheck
  const readOnly = service.setting('read_only')
  return {
    kind: 'compose',
    file: service.file.source.file,
    resource: service.resource,
    place: service.place,
    image: service.build === null ? (service.image?.text ?? null) : null,
    made: { service, stage: commands[0]?.origin.stage ?? null, context: service.build?.context ?? null },
    commands,
    scripts: [],
    words: [service.entrypoint, service.command].flatMap(
      (command) => command?.words.map((text, at) => ({ text, place: command.places[at]! })) ?? [],
    ),
    environment: commands[0]?.environment ?? environment,
    hasHiddenVariables: service.envFiles.some(({ exists }) => !exists),
    replicas:
      service.replicas === null || replicas === null
        ? ONE
        : { value: service.replicas, place: replicas.value.place },
    surge:
      order === 'start-first'
        ? Number(service.setting('deploy', 'update_config', 'parallelism')?.value.number ?? 1)
        : 0,
    graceSeconds:
      graceMs === null || grace === null
        ? { value: COMPOSE_GRACE_SECONDS, place: null }
        : { value: graceMs / 1000, place: grace.value.place },
    ports: service.ports.flatMap(({ target, protocol, place }) =>
      protocol === 'tcp' && /^\d+$/.test(target) ? [{ port: Number(target), place }] : [],
    ),
    probes: health?.test == null ? [] : [toProbe(health.test.words, health.test.place)],
    mounts: [
      ...service.mounts.map(({ target, source, place }) => ({ target, source, place })),
      ...(service.setting('tmpfs')?.value.itemsOrSelf() ?? []).flatMap(({ text, place }) =>
        text === null ? [] : [{ target: text.split(':')[0]!, source: null, place }],
      ),
    ],
    readOnlyRoot: readOnly?.value.boolean === true ? readOnly.value.place : null,
    memoryBytes: stated(readBytes(memory?.value.text ?? null, 'compose'), memory?.value.place),
    cpus: stated(readCpus(cpus?.value.text ?? null), cpus?.value.place),
    sharesNetwork: service.setting('network_mode') !== null,
  }
}

function ofContainer(
  object: KubernetesObject,
  container: PodContainer,
  commands: readonly ServerCommand[],
  given: GivenVariables,
): Workload {
  const pods = object.pods!
  const { node } = object
  const replicas = node.at('spec', 'replicas')
  const memory = container.node.at('resources', 'limits', 'memory')
  const cpus = container.node.at('resources', 'limits', 'cpu')
  const readOnly = container.node.at('securityContext', 'readOnlyRootFilesystem')
  const grace = pods.spec.at('terminationGracePeriodSeconds')
  const count = replicas?.number ?? 1
  const ports = container.ports.flatMap(({ containerPort, protocol, place }) =>
    containerPort === null || protocol !== 'TCP' ? [] : [{ port: containerPort, place }],
  )
  return {
    kind: 'kubernetes',
    file: object.source.file,
    resource: object.resource,
    place: container.place,
    image: container.image,
    made: { service: null, stage: commands[0]?.origin.stage ?? null, context: null },
    commands,
    scripts: [],
    words: [...container.command, ...container.args],
    environment: new Map([...(commands[0]?.environment ?? []), ...given.variables]),
    hasHiddenVariables: given.hasHidden,
    replicas: replicas === null ? ONE : { value: count, place: replicas.place },
    surge: object.builtin === 'Deployment' ? surgeOf(object, count) : 0,
    graceSeconds: { value: pods.terminationGracePeriodSeconds ?? GRACE_SECONDS, place: grace?.place ?? null },
    ports,
    probes: container.probes.map(({ http, port, command, place }): Probe => {
      if (command !== null)
        return toProbe(
          command.map(({ text }) => text),
          place,
        )
      const named =
        container.ports.find(({ name }) => name !== null && name === port?.text)?.containerPort ?? null
      const number = /^\d+$/.test(port?.text ?? '') ? Number(port!.text) : named
      return {
        place: port?.place ?? place,
        port: number,
        host: http?.hostHeader ?? null,
        isHttp: http !== null,
        programs: [],
      }
    }),
    mounts: container.mounts.map(({ mountPath, name, place }) => ({
      target: mountPath,
      source: name,
      place,
    })),
    readOnlyRoot: readOnly?.boolean === true ? readOnly.place : null,
    memoryBytes: stated(readBytes(memory?.text ?? null, 'kubernetes'), memory?.place),
    cpus: stated(readCpus(cpus?.text ?? null), cpus?.place),
    sharesNetwork: pods.containers.length > 1 || pods.hostNetwork,
  }
}

/** `maxSurge` of a rolling update: a number or a share, a quarter where none is set. */
function surgeOf({ node }: KubernetesObject, replicas: number): number {
  if (node.at('spec', 'strategy', 'type')?.text === 'Recreate') return 0
  const text = node.at('spec', 'strategy', 'rollingUpdate', 'maxSurge')?.text ?? '25%'
  const match = /^(\d+)(%?)$/.exec(text)
  if (match === null) return 0
  return match[2] === '%' ? Math.ceil((replicas * Number(match[1])) / 100) : Number(match[1])
}

function stated(value: number | null, place: SourcePlace | undefined): Stated | null {
  return value === null ? null : { value, place: place ?? null }
}
