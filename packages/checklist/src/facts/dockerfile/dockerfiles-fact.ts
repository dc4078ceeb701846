import { basename } from 'node:path/posix'
import { defineFact } from '../../define.ts'
import { SourceText } from '../../source/source-text.ts'
import { sourceFiles } from '../source-files.ts'
import type { Dockerfile } from './dockerfile.ts'
import { parseDockerfile } from './parse-dockerfile.ts'

const NAME = /^(?:Dockerfile|Containerfile)(?:[._-][\w.-]+)?$|\.(?:Dockerfile|dockerfile|Containerfile)$/
/** Its ignore file, a template that makes one, and what is about one. */
const NO_DOCKERFILE =
  /\.(?:dockerignore|j2|jinja2?|tmpl|tpl|template|erb|m4|in|md|rst|txt|ya?ml|json|toml|sh|py|rb|[cm]?[jt]s|go)$/i

/** All Dockerfiles of the project, by their names. */
export const dockerfiles = defineFact<readonly Dockerfile[]>({
  id: 'dockerfiles',
  title: 'Dockerfiles',
  async collect({ tree, get }) {
    const files = await get(sourceFiles)
    const found: Dockerfile[] = []
    for (const file of files ?? []) {
      if (!NAME.test(basename(file)) || NO_DOCKERFILE.test(file)) continue
      const text = await tree.read(file)
      // Passed over, it would pass.
      if (text === null)
        throw new Error(`${file} cannot be read: it is too large, or leads out of the project`)
      found.push(parseDockerfile(new SourceText(file, text)))
    }
    return found.length > 0 ? found : null
  },
})
