import { constants } from 'node:fs'
import { open, realpath } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { join, sep } from 'node:path'

/** An open regular file; the caller closes the handle. */
export interface OpenFile {
  /** Resolved: no part of it is a symbolic link. */
  path: string
  handle: FileHandle
  size: number
  modifiedAt: Date
}

/** Errors that say that there is no such file, whatever the reason. */
const ABSENT = new Set([
  'ENOENT',
  'ENOTDIR',
  'EISDIR',
  'ELOOP',
  'ENAMETOOLONG',
  'EACCES',
  'EPERM',
  'ENXIO',
  'EINVAL',
])

/** Not through a last symbolic link, since the path was resolved; and without waiting for a pipe's writer. */
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

/**
 * Opens a file below a folder. Symbolic links are followed as long as they stay within the folder.
 *
 * @param relativePath percent-decoded; see {@link isServable} for what it may hold.
 * @returns null when there is no such file for anyone to see.
 * @throws the system's error for everything else (EMFILE, EIO).
 */
export async function openFile(directory: string, relativePath: string): Promise<OpenFile | null> {
  try {
    const root = await realpath(directory)
    const path = await realpath(join(root, relativePath))
    return path.startsWith(root.endsWith(sep) ? root : root + sep) ? await openRegular(path) : null
  } catch (error) {
    return nullIfAbsent(error)
  }
}

/** Opens what lies beside a file under its name and a suffix, unless it is a symbolic link. */
export async function openSibling(file: OpenFile, suffix: string): Promise<OpenFile | null> {
  try {
    return await openRegular(file.path + suffix)
  } catch (error) {
    return nullIfAbsent(error)
  }
}

async function openRegular(path: string): Promise<OpenFile | null> {
  const handle = await open(path, FLAGS)
  try {
    const stats = await handle.stat()
    if (stats.isFile()) return { path, handle, size: stats.size, modifiedAt: stats.mtime }
  } catch (error) {
    await handle.close()
    throw error
  }
  await handle.close()
  return null
}

function nullIfAbsent(error: unknown): null {
  if (ABSENT.has((error as NodeJS.ErrnoException).code ?? '')) return null
  throw error
}

/** False for paths that name no file to show: dotfiles (save `.well-known`), empty segments, NUL, backslashes. */
export function isServable(relativePath: string): boolean {
  if (relativePath.includes('\0') || relativePath.includes('\\')) return false
  return relativePath
    .split('/')
    .every((segment) => segment !== '' && (segment[0] !== '.' || segment === '.well-known'))
}
