import { extname } from 'node:path/posix'
import { defineFact, gitFiles, sourceFiles } from '@havn/checklist'
import { readHead } from './read-files.ts'

/** A file of git that holds data, by what is in it. */
export interface DataFile {
  file: string
  kind: 'database' | 'dump' | 'keystore'
}

const MAX_FILES = 1_000
const KEYSTORES = new Set(['.p12', '.pfx', '.jks', '.keystore'])
const OTHERS = new Set(['.sqlite', '.sqlite3', '.db', '.sql', '.dump', '.pgdump', '.backup'])

/** Databases, dumps and keystores in the repository. */
export const dataFiles = defineFact<readonly DataFile[]>({
  id: 'secret-data-files',
  title: 'Repository of git',
  async collect({ tree, get, signal }) {
    const [git, files] = [await get(gitFiles), await get(sourceFiles)]
    if (git === null || files === null) return null
    const named = files.filter((file) => git.tracked.has(file) && isNamedSo(file))
    const found: DataFile[] = []
    for (const file of named.slice(0, MAX_FILES)) {
      signal.throwIfAborted()
      const head = readHead(tree.root, file)
      const kind = head === null ? null : kindOf(file, head)
      if (kind !== null) found.push({ file, kind })
    }
    return found
  },
})

function isNamedSo(file: string): boolean {
  const extension = extname(file).toLowerCase()
  return KEYSTORES.has(extension) || OTHERS.has(extension)
}

function kindOf(file: string, head: string): DataFile['kind'] | null {
  // Android's own key for debugging is the same on each machine.
  if (KEYSTORES.has(extname(file).toLowerCase()))
    return head.length > 0 && !/(?:^|\/)debug\.keystore$/.test(file) ? 'keystore' : null
  if (head.startsWith('SQLite format 3\0')) return 'database'
  const isDump = head.startsWith('PGDMP') || /^-- (?:PostgreSQL database|MySQL|MariaDB) dump/m.test(head)
  return isDump ? 'dump' : null
}
