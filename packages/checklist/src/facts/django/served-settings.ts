import { join } from 'node:path/posix'
import type { DjangoLayout, FactCollector, SourceTree } from '@havn/plugin-api'
import { dockerfiles } from '../dockerfile/dockerfiles-fact.ts'
import { isDevelopmentName } from '../server/is-development.ts'
import type { ServerCommand } from '../server/server-command.ts'

export const NAME = 'DJANGO_SETTINGS_MODULE'

/** The settings that something in the project gives what serves it. */
export interface ServedSettings {
  module: string
  /** The file that names them. */
  who: string
}

/** What compose's services, containers, images and scripts set; null where none does, and where they are not of one mind. */
export function settingsOfServers(commands: readonly ServerCommand[]): ServedSettings | null {
  return agreed(
    commands.flatMap(({ environment }) => {
      const given = environment.get(NAME)
      return given?.value == null ? [] : [{ module: given.value, who: given.place.file }]
    }),
  )
}

/** The settings that Dockerfiles give their last stage, whatever it starts; null where they are not of one mind. */
export async function settingsOfImages(get: FactCollector['get']): Promise<ServedSettings | null> {
  const files = (await get(dockerfiles).catch(() => null)) ?? []
  return agreed(
    files.flatMap(({ source, final }) => {
      const env = final?.instructions.filter(({ keyword }) => keyword === 'ENV') ?? []
      const words = env.flatMap(({ words }) => words.map(({ text }) => text))
      const word = words.findLast((text) => text.startsWith(`${NAME}=`))
      const module = word?.slice(NAME.length + 1).replaceAll(/^["']|["']$/g, '') ?? ''
      return [{ module, who: source.file }]
    }),
  )
}

function agreed(named: readonly ServedSettings[]): ServedSettings | null {
  const real = named.filter(
    ({ module }) => /^[A-Za-z_][\w.]*$/.test(module) && !isDevelopmentName(module.split('.').at(-1)!),
  )
  return new Set(real.map(({ module }) => module)).size === 1 ? real[0]! : null
}

/** Whether a module lies in a project: one of several is not meant by what another is given. */
export async function hasModule(
  tree: SourceTree,
  { directory }: DjangoLayout,
  module: string,
): Promise<boolean> {
  const path = join(directory, ...module.split('.'))
  return (await tree.read(`${path}.py`)) !== null || (await tree.read(`${path}/__init__.py`)) !== null
}

/** Whether a module is of the package whose settings a project names itself, wherever on Python's path that lies. */
export function namesPackage({ manage, wsgi, asgi }: DjangoLayout, module: string): boolean {
  const packages = [manage, wsgi, asgi].flatMap((each) => each?.settings?.module.split('.')[0] ?? [])
  return packages.length === 0 || packages.includes(module.split('.')[0]!)
}
