import { execFile } from 'node:child_process'
import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { withLock } from './lock.ts'
import { partMissing } from './missing.ts'
import { partsDirectory } from './parts-directory.ts'

const run = promisify(execFile)

/** Finds a program on the PATH, or where Debian puts servers. @returns its path, or null. */
export async function findProgram(name: string): Promise<string | null> {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin']
  for (const folder of folders) {
    const path = join(folder, name)
    if (
      await access(path, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return path
  }
  return null
}

/**
 * Finds a program, installing its Debian package when it is missing and this user may.
 *
 * @returns the program's path.
 */
export async function ensureDebian(program: string, packageName = program): Promise<string> {
  return ensureInstalled(program, packageName, () => findProgram(program))
}

/** The same for a file that is no program, by its path: a module, say. */
export async function ensureDebianFile(path: string, packageName: string): Promise<string> {
  return ensureInstalled(path, packageName, () =>
    access(path).then(
      () => path,
      () => null,
    ),
  )
}

async function ensureInstalled(
  part: string,
  packageName: string,
  find: () => Promise<string | null>,
): Promise<string> {
  const found = await find()
  if (found) return found
  if (process.getuid?.() !== 0) throw partMissing(part, `install the Debian package ${packageName}`)
  return withLock(join(await partsDirectory(), 'apt.lock'), async () => {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    try {
      await run('apt-get', ['update', '-q'], { env, maxBuffer: 64 * 1024 * 1024 })
      await run('apt-get', ['install', '-q', '-y', '--no-install-recommends', packageName], {
        env,
        maxBuffer: 64 * 1024 * 1024,
      })
    } catch (error) {
      throw partMissing(part, (error as Error).message)
    }
    const installed = await find()
    if (!installed) throw partMissing(part, `the Debian package ${packageName} has no such file`)
    return installed
  })
}
