import { argOf, composeFiles, defineFact, directivesOf, dockerfiles, nginxConfigs } from '@havn/checklist'
import type { ComposeService, DockerStage, NginxConfig, NginxDirective } from '@havn/checklist'
import type { SourcePlace } from '@havn/plugin-api'
import { join } from 'node:path/posix'
import { besideFile, copiesOf, restOf } from './container-paths.ts'

/** A folder that nginx sends files of. */
export interface ServedFolder {
  /** Of the location: `/static/`. */
  prefix: string
  /** Of the folder, where a path behind the prefix is looked for: in nginx's container. */
  folder: string
  /** Of `alias` or `root`. */
  place: SourcePlace
  config: NginxConfig
  /** The services of compose that run nginx with this configuration, and what their images are built from. */
  services: readonly { service: ComposeService; stage: DockerStage | null; context: string | null }[]
}

/** Folders that nginx sends files of, by itself. */
export const servedFolders = defineFact<readonly ServedFolder[]>({
  id: 'served-folders',
  title: 'Folders that nginx serves',
  async collect({ get }) {
    const configs = ((await get(nginxConfigs)) ?? []).filter(({ isDevelopment }) => !isDevelopment)
    const images = (await get(dockerfiles)) ?? []
    const services = ((await get(composeFiles)) ?? [])
      .flatMap((file) => (file.isDevelopment ? [] : file.services))
      .map((service) => {
        const { build } = service
        const image = images.find(({ source }) => source.file === build?.dockerfile)
        const stage =
          image?.stages.find(({ name }) => name === build!.target?.toLowerCase()) ?? image?.final ?? null
        return { service, stage, context: build?.context ?? null }
      })

    const found = configs.flatMap((config) =>
      directivesOf(config.directives).flatMap((directive): ServedFolder[] => {
        const served = readServed(directive)
        if (served === null) return []
        const own = services.filter((each) => hasConfig(each, config.source.file))
        return [{ ...served, config, services: own }]
      }),
    )
    return found.length > 0 ? found : null
  },
})

/** `location /static/ { alias /srv/static/; }`: a plain prefix, and a folder without variables. */
function readServed(directive: NginxDirective): Pick<ServedFolder, 'prefix' | 'folder' | 'place'> | null {
  const { name, parent } = directive
  const folder = argOf(directive)
  if ((name !== 'alias' && name !== 'root') || parent?.name !== 'location') return null
  const [first, second] = parent.args.map(({ text }) => text)
  const prefix = first === '^~' || first === '=' ? second : first
  if (prefix === undefined || !prefix.startsWith('/') || !/^\/[\w./-]+$/.test(folder)) return null
  return { prefix, folder: name === 'root' ? join(folder, prefix) : folder, place: directive.place }
}

/** A configuration that is mounted into a service, or copied into its image. */
function hasConfig({ service, stage, context }: ServedFolder['services'][number], file: string): boolean {
  const isMounted = service.mounts.some(({ type, source, target }) => {
    const from = type === 'bind' && source !== null ? besideFile(service.file.source.file, source) : null
    return from !== null && restOf(file, from) !== null && /nginx/.test(target)
  })
  const isCopied =
    stage !== null &&
    context !== null &&
    copiesOf(stage).some(
      ({ sources, target }) =>
        /nginx/.test(target) && sources.some((source) => restOf(file, join(context, source)) !== null),
    )
  return isMounted || isCopied
}
