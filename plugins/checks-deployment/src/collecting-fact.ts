import { defineFact, sourceFiles } from '@havn/checklist'
import { basename } from 'node:path/posix'
import { servedFolders, type ServedFolder } from './served-folders-fact.ts'

/** Files by which people and machines run things. */
const RUNS =
  /\.(?:sh|bash|ya?ml|toml|mk|just|ps1|json|j2|tf|cfg|ini|py)$|(?:Docker|Container)file|^(?:Makefile|Procfile|Jenkinsfile|[\w-]+)$/
const DOCS = /\.(?:md|rst|txt|adoc)$/i
const MAX_FILES = 5_000

/** Who collects static files, and who serves them. */
export interface Collecting {
  /** Files that run `collectstatic`: scripts, pipelines, Dockerfiles. */
  files: readonly string[]
  /** Somebody is told to run it. */
  isDocumented: boolean
  served: readonly ServedFolder[]
}

/** What collects static files, anywhere in the project. */
export const collecting = defineFact<Collecting>({
  id: 'collecting-static',
  title: 'Where static files are collected',
  async collect({ tree, get, signal }) {
    const all = (await get(sourceFiles)) ?? []
    const asked = all.filter((file) => RUNS.test(basename(file)) || DOCS.test(file))
    const files: string[] = []
    // Beyond the limit somebody may run it: nobody has looked.
    let isDocumented = asked.length > MAX_FILES
    for (const file of asked.slice(0, MAX_FILES)) {
      signal.throwIfAborted()
      const text = await tree.read(file)
      if (text === null || !text.includes('collectstatic')) continue
      if (DOCS.test(file)) isDocumented = true
      // Python calls it by its name; all else that names it outside of comments runs it.
      else if ((file.endsWith('.py') ? /["']collectstatic["']/ : /^(?!\s*#).*collectstatic/m).test(text))
        files.push(file)
    }
    return { files, isDocumented, served: (await get(servedFolders)) ?? [] }
  },
})
