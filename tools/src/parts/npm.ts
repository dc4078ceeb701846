import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { access, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { withLock } from './lock.ts'
import { partMissing } from './missing.ts'
import { partsDirectory } from './parts-directory.ts'

const run = promisify(execFile)

/**
 * Installs, once, packages from npm in a folder of their own, without running their install scripts.
 *
 * @param packages names with versions, such as `wattpm@3.67.0`.
 * @returns the absolute path of the folder whose `node_modules` has them.
 */
export async function ensureNpm(packages: readonly string[]): Promise<string> {
  const wanted = [...packages].sort()
  const name = `npm-${createHash('sha256').update(wanted.join('\n')).digest('hex').slice(0, 12)}`
  const directory = join(await partsDirectory(), name)
  const finished = join(directory, 'installed')
  if (await exists(finished)) return directory

  return withLock(`${directory}.lock`, async () => {
    if (await exists(finished)) return directory
    await rm(directory, { recursive: true, force: true })
    await mkdir(directory, { recursive: true })
    try {
      await writeFile(join(directory, 'package.json'), '{ "private": true }\n')
      const flags = ['--no-audit', '--no-fund', '--ignore-scripts', '--prefix', directory]
      await run('npm', ['install', ...flags, ...wanted], { cwd: directory, maxBuffer: 16 * 1024 * 1024 })
    } catch (error) {
      await rm(directory, { recursive: true, force: true })
      throw partMissing(wanted.join(' '), (error as Error).message)
    }
    await writeFile(finished, wanted.join('\n') + '\n')
    return directory
  })
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
