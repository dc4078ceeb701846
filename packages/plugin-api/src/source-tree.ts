import { open, readFile, readdir, realpath } from 'node:fs/promises'
import { isAbsolute, join, relative, resolve, sep } from 'node:path'

/** A read-only view of an app's source tree. Paths are relative to the root; nothing outside it is readable. */
export interface SourceTree {
  /** Absolute path. */
  readonly root: string
  /** The file's text, or null when there is none, it is a folder, or it lies outside the tree. */
  read(path: string, options?: ReadOptions): Promise<string | null>
  /** Names in a folder, sorted; folders end with a slash. Empty when there is no such folder. */
  list(path?: string): Promise<string[]>
}

/** How a file of a tree is read. */
export interface ReadOptions {
  /** No more than so many bytes from its beginning, however large it is: what kind of file it is shows there. */
  headBytes?: number
}

/** Files beyond this size are not source: read as if they were not there. */
const MAX_FILE_BYTES = 4 * 1024 * 1024

/** Opens a folder as a source tree. The folder must exist. */
export async function openSourceTree(directory: string): Promise<SourceTree> {
  const root = await realpath(resolve(directory))

  async function inside(path: string): Promise<string | null> {
    if (isAbsolute(path)) return null
    const real = await realpath(join(root, path)).catch(() => null)
    if (real === null) return null
    const away = relative(root, real)
    return away === '..' || away.startsWith('..' + sep) || isAbsolute(away) ? null : real
  }

  return {
    root,
    async read(path, { headBytes } = {}) {
      const real = await inside(path)
      if (real === null) return null
      if (headBytes !== undefined) return readHead(real, headBytes).catch(() => null)
      const content = await readFile(real).catch(() => null)
      return content === null || content.length > MAX_FILE_BYTES ? null : content.toString('utf8')
    },
    async list(path = '.') {
      const real = await inside(path)
      if (real === null) return []
      const entries = await readdir(real, { withFileTypes: true }).catch(() => [])
      return entries.map((entry) => entry.name + (entry.isDirectory() ? '/' : '')).sort()
    },
  }
}

async function readHead(path: string, bytes: number): Promise<string> {
  const file = await open(path)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, 0)
    return buffer.toString('utf8', 0, bytesRead)
  } finally {
    await file.close()
  }
}
