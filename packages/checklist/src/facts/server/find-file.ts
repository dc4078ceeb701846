import { basename, dirname, join, normalize, resolve } from 'node:path/posix'
import type { Dockerfile } from '../dockerfile/dockerfile.ts'

/** Where a path of a command may lead to. */
export interface FileSearch {
  /** All files of the project. */
  files: readonly string[]
  /** The file that the path is written in. */
  near: string
  /** The image that the command runs in: what it copies says what is where. */
  dockerfile: Dockerfile | null
}

/** The file of the project that a path means on the machine where the command runs; null where no single one fits. */
export function findFile(path: string, { files, near, dockerfile }: FileSearch): string | null {
  if (path === '' || path.includes('$')) return null
  const all = new Set(files)
  const amongCopied = (target: string) =>
    copied(target, dockerfile)
      .flatMap((candidate) => [normalize(candidate), join(dirname(near), candidate)])
      .find((each) => all.has(each))
  const found = amongCopied(path)
  if (found !== undefined) return found
  if (!path.startsWith('/')) {
    const beside = [join(dirname(near), path), normalize(path)].find((each) => all.has(each))
    const below = beside ?? amongCopied(join(workdirOf(dockerfile), path))
    if (below !== undefined) return below
  }
  // /app/docker/start.sh: as much of its end as any file has.
  const segments = path.split('/').filter((segment) => segment !== '' && segment !== '.')
  for (let from = 0; from < segments.length; from++) {
    const end = segments.slice(from).join('/')
    const found = files.filter((file) => file === end || file.endsWith(`/${end}`))
    if (found.length === 1) return found[0]!
    const beside = found.find((file) => dirname(file) === dirname(near))
    if (found.length > 1) return beside ?? null
  }
  return null
}

/** The folder that commands of the image start in. */
function workdirOf(dockerfile: Dockerfile | null): string {
  let folder = '/'
  for (const { keyword, words } of dockerfile?.final?.instructions ?? [])
    if (keyword === 'WORKDIR') folder = resolve(folder, words[0]?.text ?? '')
  return folder
}

/** What `COPY` puts at the path, as far as it says: single files, and folders. */
function copied(path: string, dockerfile: Dockerfile | null): string[] {
  if (dockerfile === null) return []
  return dockerfile.stages.flatMap(({ instructions }) =>
    instructions.flatMap(({ keyword, words, exec, flags }) => {
      if ((keyword !== 'COPY' && keyword !== 'ADD') || flags.some(({ name }) => name === 'from')) return []
      const all = exec ?? words.map(({ text }) => text)
      const target = all.at(-1) ?? ''
      return all.slice(0, -1).flatMap((from) => {
        if (target === path) return [from]
        const folder = target.endsWith('/') ? target : `${target}/`
        if (path === `${folder}${basename(from)}`) return [from]
        return path.startsWith(folder) && folder !== '/' ? [join(from, path.slice(folder.length))] : []
      })
    }),
  )
}
