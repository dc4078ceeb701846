import { chmod, mkdir, rename, rm, rmdir, writeFile } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import type { GeneratedFile } from '@havn/model'

/** Writes a generated file into the run directory; it is never seen half-written. */
export async function writeRunFile(runDirectory: string, file: GeneratedFile): Promise<void> {
  const path = join(runDirectory, file.path)
  const draft = `${path}.${process.pid}.new`
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await writeFile(draft, file.content, { mode: file.mode })
  await chmod(draft, file.mode)
  await rename(draft, path)
}

/** Removes a generated file, and the folders that it leaves empty, the run directory among them. */
export async function removeRunFile(runDirectory: string, path: string): Promise<void> {
  await rm(join(runDirectory, path), { force: true })
  await removeEmptyFolders(runDirectory, dirname(path))
}

/** Removes a folder of the run directory, and those above it, as long as they are empty. */
export async function removeEmptyFolders(runDirectory: string, path = '.'): Promise<void> {
  for (let folder = join(runDirectory, path); isWithin(runDirectory, folder); folder = dirname(folder)) {
    const removed = await rmdir(folder).then(
      () => true,
      () => false,
    )
    if (!removed) return
  }
}

function isWithin(runDirectory: string, folder: string): boolean {
  const away = relative(runDirectory, folder)
  return away !== '..' && !away.startsWith('..' + sep)
}
