import { constants } from 'node:fs'
import { open, realpath } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { join, sep } from 'node:path'

/** An open regular file; the caller closes the handle. */
export interface OpenFile {
  handle: FileHandle
  size: number
  modifiedAt: Date
  /** Another one after any change of the file that the system tells of, or when the path leads to another file. */
  state: string
  place: ResolvedPlace
}

/** Where a path led when it was looked at last. */
interface ResolvedPlace {
  /** No part of it is a symbolic link. */
  path: string
  /** Suffixes of siblings that were not there. */
  absentSiblings: Set<string>
  expiresAt: number
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

/** Resolving a path costs more than reading a small file: what is asked for often is resolved once a second. */
const REMEMBER_MS = 1_000
const MAX_REMEMBERED = 4_096

/** Opens files below one folder. */
export class FolderFiles {
  readonly #directory: string
  readonly #places = new Map<string, ResolvedPlace>()

  constructor(directory: string) {
    this.#directory = directory
  }

  /**
   * Opens a file. Symbolic links are followed as long as they stay within the folder.
   *
   * @param relativePath percent-decoded; see {@link isServable} for what it may hold.
   * @returns null when there is no such file for anyone to see.
   * @throws the system's error for everything else (EMFILE, EIO).
   */
  async open(relativePath: string): Promise<OpenFile | null> {
    const known = this.#places.get(relativePath)
    if (known !== undefined && known.expiresAt > performance.now()) {
      const file = await orNull(openRegular(known.path, known))
      // Otherwise it moved within the second.
      if (file !== null) return file
    }
    const path = await orNull(this.#resolve(relativePath))
    if (path === null) return null
    const place = { path, absentSiblings: new Set<string>(), expiresAt: performance.now() + REMEMBER_MS }
    const file = await orNull(openRegular(path, place))
    if (file !== null) this.#remember(relativePath, place)
    return file
  }

  /** Opens what lies beside a file under its name and a suffix, unless it is a symbolic link. */
  async openSibling(file: OpenFile, suffix: string): Promise<OpenFile | null> {
    const { place } = file
    if (place.absentSiblings.has(suffix)) return null
    const sibling = await orNull(openRegular(place.path + suffix, place))
    if (sibling === null) place.absentSiblings.add(suffix)
    return sibling
  }

  async #resolve(relativePath: string): Promise<string | null> {
    const root = await realpath(this.#directory)
    const path = await realpath(join(root, relativePath))
    return path.startsWith(root.endsWith(sep) ? root : root + sep) ? path : null
  }

  #remember(relativePath: string, place: ResolvedPlace): void {
    if (this.#places.size >= MAX_REMEMBERED) this.#places.clear()
    this.#places.set(relativePath, place)
  }
}

/** False for paths that name no file to show: dotfiles (save `.well-known`), empty segments, NUL, backslashes. */
export function isServable(relativePath: string): boolean {
  if (relativePath.includes('\0') || relativePath.includes('\\')) return false
  return relativePath
    .split('/')
    .every((segment) => segment !== '' && (segment[0] !== '.' || segment === '.well-known'))
}

async function openRegular(path: string, place: ResolvedPlace): Promise<OpenFile | null> {
  const handle = await open(path, FLAGS)
  try {
    const stats = await handle.stat()
    if (stats.isFile()) {
      const { size, mtime: modifiedAt, mtimeMs, ctimeMs, dev, ino } = stats
      return { handle, size, modifiedAt, state: [path, dev, ino, size, mtimeMs, ctimeMs].join(' '), place }
    }
  } catch (error) {
    await handle.close()
    throw error
  }
  await handle.close()
  return null
}

async function orNull<Value>(result: Promise<Value>): Promise<Value | null> {
  try {
    return await result
  } catch (error) {
    if (ABSENT.has((error as NodeJS.ErrnoException).code ?? '')) return null
    throw error
  }
}
