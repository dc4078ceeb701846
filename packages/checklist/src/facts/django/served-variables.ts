import { basename, dirname } from 'node:path/posix'
import type { DjangoLayout, FactCollector, SourcePlace } from '@havn/plugin-api'
import { pythonServers } from '../server/python-servers.ts'
import type { ServerCommand } from '../server/server-command.ts'
import { serverCommands } from '../server/server-commands-fact.ts'

/** Variables that services and containers set for what serves a project. */
export interface ServedVariables {
  /** All of them set these to the same. */
  given: ReadonlyMap<string, { value: string; place: SourcePlace }>
  /** Set to what nobody sees here, or by some of them only, or to other values by others. */
  varying: ReadonlySet<string>
}

/** They choose what runs, rather than how it behaves. */
const OF_THE_MACHINE =
  /^(?:DJANGO_SETTINGS_MODULE|PATH|HOME|TMPDIR|VIRTUAL_ENV|PYTHON\w*|LD_\w+|DYLD_\w+|GCONV_PATH|LOCPATH)$/
const MAX_VARIABLES = 500
const MAX_LENGTH = 8 * 1024

/** The commands that may serve a project in production, by the app that they name. */
export async function servingCommands(
  { wsgi, asgi }: DjangoLayout,
  get: FactCollector['get'],
): Promise<ServerCommand[]> {
  const commands = (await get(serverCommands).catch(() => null)) ?? []
  const packages = [wsgi, asgi].flatMap((entry) => entry?.module.split('.')[0] ?? [])
  return commands.filter(({ server, app, origin }) => {
    if (!pythonServers.has(server) || origin.isDevelopment) return false
    const served = app?.value == null ? null : /^\w+/.exec(app.value)?.[0]
    return served == null || packages.length === 0 || packages.includes(served)
  })
}

/** Whether a command is known to serve a project of several, whose packages may have the same names. */
export function isServedFrom({ origin }: ServerCommand, { directory }: DjangoLayout): boolean {
  const { dockerfile, service, pod } = origin
  const folder = service?.build?.context ?? (dockerfile === null ? null : dirname(dockerfile.source.file))
  if (folder !== null) return `${folder}/`.startsWith(`${directory}/`)
  const image = pod?.container.imageReference?.name
  return image !== undefined && basename(image) === basename(directory)
}

/** What services of compose and containers set. An image gets its variables from whoever starts it. */
export function servedVariables(commands: readonly ServerCommand[]): ServedVariables {
  const started = commands
    .filter(({ origin: { kind } }) => kind === 'compose' || kind === 'kubernetes')
    .map(({ environment }) => environment)
  const given = new Map<string, { value: string; place: SourcePlace }>()
  const varying = new Set<string>()
  for (const name of new Set(started.flatMap((each) => [...each.keys()]))) {
    if (OF_THE_MACHINE.test(name) || !/^[A-Za-z_]\w*$/.test(name)) continue
    const [first, ...others] = started.map((each) => each.get(name))
    const value = first?.value ?? null
    const isSame = value !== null && others.every((other) => other?.value === value)
    const isBearable = value !== null && value.length <= MAX_LENGTH && !value.includes('\0')
    if (isSame && isBearable && given.size < MAX_VARIABLES) given.set(name, { value, place: first!.place })
    else varying.add(name)
  }
  return { given, varying }
}

/** The same where settings were read without them: nobody knows what they would be. */
export function withoutValues({ given, varying }: ServedVariables): ServedVariables {
  return { given: new Map(), varying: new Set([...varying, ...given.keys()]) }
}
