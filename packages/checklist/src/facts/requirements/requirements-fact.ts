import { basename } from 'node:path/posix'
import { defineFact } from '../../define.ts'
import { SourceText } from '../../source/source-text.ts'
import { sourceFiles } from '../source-files.ts'
import type { Requirement } from './requirement.ts'
import { readPackageJson, readPackageLock } from './read-package-json.ts'
import { readPyproject, readTomlLock } from './read-pyproject.ts'
import { readRequirementsFile } from './read-requirements-file.ts'
import { readPipfileLock } from './read-pipfile-lock.ts'

const READERS: readonly { matches(file: string): boolean; read(source: SourceText): Requirement[] }[] = [
  {
    matches: (file) =>
      /(?:^|[-_.])(?:requirements|constraints)(?:[-_.][\w.-]+)?\.(?:txt|in)$|(?:^|\/)requirements\/[^/]+\.(?:txt|in|pip)$/.test(
        file,
      ),
    read: readRequirementsFile,
  },
  { matches: (file) => basename(file) === 'pyproject.toml', read: readPyproject },
  { matches: (file) => /^(?:poetry|uv|pdm)\.lock$/.test(basename(file)), read: readTomlLock },
  { matches: (file) => basename(file) === 'Pipfile.lock', read: readPipfileLock },
  { matches: (file) => basename(file) === 'package.json', read: readPackageJson },
  { matches: (file) => basename(file) === 'package-lock.json', read: readPackageLock },
]
const MAX_FILES = 500

/** Packages that the project needs, from lists, pyproject.toml, package.json and lock files. */
export const requirements = defineFact<readonly Requirement[]>({
  id: 'requirements',
  title: 'Requirements',
  async collect({ tree, get, signal }) {
    const found: Requirement[] = []
    let count = 0
    for (const file of (await get(sourceFiles)) ?? []) {
      const reader = READERS.find(({ matches }) => matches(file))
      if (reader === undefined || count++ >= MAX_FILES) continue
      signal.throwIfAborted()
      const text = await tree.read(file)
      if (text !== null) found.push(...reader.read(new SourceText(file, text)))
    }
    return found.length > 0 ? found : null
  },
})
