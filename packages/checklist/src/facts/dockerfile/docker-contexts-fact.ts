import { dirname, join } from 'node:path/posix'
import { defineFact } from '../../define.ts'
import { parseDockerIgnore, type DockerIgnore } from './dockerignore.ts'
import { dockerfiles } from './dockerfiles-fact.ts'

/** A folder that a Dockerfile is probably built with. */
export interface DockerContext {
  /** Relative to the tree's root; `.` for that itself. */
  folder: string
  /** Names in it, sorted; folders end with a slash. */
  names: readonly string[]
  ignore: DockerIgnore | null
}

/**
 * By the name of each Dockerfile, the context that it is built with: its own folder where something but Dockerfiles lies
 * there, the project's otherwise. Who builds says so for certain, and nobody has written it down.
 */
export const dockerContexts = defineFact<ReadonlyMap<string, DockerContext>>({
  id: 'docker-contexts',
  title: 'Dockerfiles',
  async collect({ tree, get }) {
    const files = await get(dockerfiles)
    if (files === null) return null
    const contexts = new Map<string, DockerContext>()
    for (const { source } of files) {
      const own = dirname(source.file)
      const folder = (await tree.list(own)).some((name) => MARKS.test(name)) ? own : '.'
      const ignoreFiles = [`${source.file}.dockerignore`, join(folder, '.dockerignore')]
      let ignore: DockerIgnore | null = null
      for (const file of ignoreFiles) {
        const text = ignore === null ? await tree.read(file) : null
        if (text !== null) ignore = parseDockerIgnore(file, text)
      }
      contexts.set(source.file, { folder, names: await tree.list(folder), ignore })
    }
    return contexts
  },
})

/** What lies where an app begins. */
const MARKS =
  /^(?:package\.json|pyproject\.toml|setup\.py|requirements.*\.txt|Pipfile|manage\.py|\.dockerignore|\.git\/|go\.mod)$/
