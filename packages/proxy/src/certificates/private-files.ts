import { randomBytes } from 'node:crypto'
import { access, constants, mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { errors } from '../errors.ts'

/** Makes a folder that this user alone may enter, and can write to. @throws HAVN_ERR_CERTIFICATE_STORE */
export async function ensurePrivateDirectory(path: string): Promise<void> {
  await orStoreError(path, async () => {
    await mkdir(path, { recursive: true, mode: 0o700 })
    await access(path, constants.W_OK | constants.X_OK)
  })
}

/**
 * Writes a file that this user alone may read, and puts it in its place whole: readers see what was there before, or
 * what is there now, and a crash leaves no half of it.
 *
 * @throws HAVN_ERR_CERTIFICATE_STORE
 */
export async function writePrivateFile(path: string, content: string): Promise<void> {
  const temporary = join(dirname(path), `.${randomBytes(8).toString('hex')}.new`)
  await orStoreError(path, async () => {
    try {
      const file = await open(temporary, 'wx', 0o600)
      try {
        await file.writeFile(content)
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(temporary, path)
    } catch (error) {
      await rm(temporary, { force: true })
      throw error
    }
  })
}

/** @throws HAVN_ERR_CERTIFICATE_STORE, for what the file system refuses. */
export async function orStoreError<Result>(path: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (cause) {
    throw errors.HAVN_ERR_CERTIFICATE_STORE({ path, reason: (cause as Error).message }, { cause })
  }
}
