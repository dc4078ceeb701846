import { instructionsOfStage, variablesOfStage } from '@havn/checklist'
import type {
  ComposeService,
  DjangoSetting,
  DockerInstruction,
  DockerStage,
  SetVariable,
} from '@havn/checklist'
import { isAbsolute, join, normalize, relative } from 'node:path/posix'

/** What a container is made of, as far as it says where the project's files lie in it. */
export interface ContainerParts {
  /** Of compose; its folders of the project lie over those of the image. */
  service: ComposeService | null
  stage: DockerStage | null
  /** Folder that the image is built with, relative to the tree; null where nobody knows. */
  context: string | null
}

/** Where a folder of the tree lies in a container; null where nothing says so. */
export function folderInContainer(
  folder: string,
  { service, stage, context }: ContainerParts,
): string | null {
  for (const { type, source, target } of service?.mounts ?? []) {
    const from = type === 'bind' && source !== null ? besideFile(service!.file.source.file, source) : null
    const rest = from === null ? null : restOf(folder, from)
    if (rest !== null) return join(target, rest)
  }
  if (stage === null || context === null) return null
  let found: string | null = null
  for (const { sources, target } of copiesOf(stage))
    for (const source of sources) {
      const rest = restOf(folder, join(context, source))
      if (rest !== null) found = join(target, rest)
    }
  return found
}

/**
 * The folder that a setting names (STATIC_ROOT), in a container: settings make it of where they lie themselves, or have
 * it in full.
 *
 * @param project.folder of manage.py, relative to the tree
 * @param project.root absolute path of the tree
 */
export function settingInContainer(
  setting: DjangoSetting,
  project: { folder: string; root: string },
  parts: ContainerParts,
  environment: ReadonlyMap<string, SetVariable>,
): string | null {
  const { value, assignments } = setting
  if (typeof value !== 'string' || !isAbsolute(value)) return null
  const folder = normalize(value).replace(/(.)\/$/, '$1')
  const isIn = (text: string | null) => text !== null && isAbsolute(text) && restOf(folder, text) !== null
  const isWritten =
    assignments.some(({ strings }) => strings.some(({ text }) => text !== '/' && isIn(text))) ||
    [...environment.values()].some((variable) => variable.value !== '/' && isIn(variable.value))
  if (isWritten) return folder
  const home = folderInContainer(project.folder, parts)
  return home === null ? null : join(home, relative(join(project.root, project.folder), folder))
}

/** What is left of a path below another one: `a/b` below `a` is `b`; null where it is not. */
export function restOf(path: string, folder: string): string | null {
  const away = relative(folder, path)
  return away === '..' || away.startsWith('../') || isAbsolute(away) ? null : away
}

/** A path that a compose file names, relative to the tree. */
export function besideFile(file: string, source: string): string | null {
  return /^\.\.?(?:\/|$)/.test(source) ? join(file, '..', source) : null
}

/** Folders that instructions copy out of the context, in their order. */
export function copiesOf(
  stage: DockerStage,
): { sources: string[]; target: string; place: DockerInstruction['place'] }[] {
  const variables = variablesOfStage(stage)
  const read = (text: string) =>
    text.replace(/\$\{?(\w+)\}?/g, (whole, name: string) => variables.get(name)?.value ?? whole)
  const copies: ReturnType<typeof copiesOf> = []
  let folder = '/'
  for (const { keyword, words, flags, exec, place } of instructionsOfStage(stage)) {
    if (keyword === 'WORKDIR') folder = resolveIn(folder, read(words[0]?.text ?? ''))
    if ((keyword !== 'COPY' && keyword !== 'ADD') || flags.some(({ name }) => name === 'from')) continue
    const paths = (exec ?? words.map(({ text }) => text)).map(read)
    const target = paths.pop()
    if (target !== undefined && !target.includes('$'))
      // `/app` of the context is `app`.
      copies.push({
        sources: paths.map((path) => path.replace(/^\/+/, '') || '.'),
        target: resolveIn(folder, target),
        place,
      })
  }
  return copies
}

function resolveIn(folder: string, path: string): string {
  return isAbsolute(path) ? path : join(folder, path)
}
