import { isAbsolute, join } from 'node:path/posix'

/** A path relative to a folder of the project, from the project's root; null where it leads out of it. */
export function resolveInProject(folder: string, path: string): string | null {
  if (isAbsolute(path) || path.startsWith('~')) return null
  const joined = join(folder, path).replace(/\/$/, '')
  return joined === '..' || joined.startsWith('../') ? null : joined
}
