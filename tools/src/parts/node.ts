import { execFile } from 'node:child_process'
import { access, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { withLock } from './lock.ts'
import { partMissing } from './missing.ts'
import { partsDirectory } from './parts-directory.ts'

const run = promisify(execFile)

/**
 * Installs, once, a version of Node from the npm package that holds its binary for this machine: Linux on x64 or arm64.
 *
 * @param version such as `22.19.0`.
 * @returns the absolute path of its `node`.
 */
export async function ensureNode(version: string): Promise<string> {
  const platform = `${process.platform}-${process.arch}`
  if (!['linux-x64', 'linux-arm64'].includes(platform)) {
    throw partMissing(`Node ${version}`, `npm has no package of it for ${platform}`)
  }
  const directory = join(await partsDirectory(), `node-${version}`)
  const program = join(directory, 'node_modules', `node-${platform}`, 'bin', 'node')
  const finished = join(directory, 'installed')
  if (await exists(finished)) return program

  return withLock(`${directory}.lock`, async () => {
    if (await exists(finished)) return program
    await rm(directory, { recursive: true, force: true })
    await mkdir(directory, { recursive: true })
    try {
      await writeFile(join(directory, 'package.json'), '{ "private": true }\n')
      const flags = ['--no-audit', '--no-fund', '--ignore-scripts', '--prefix', directory]
      await run('npm', ['install', ...flags, `node-${platform}@${version}`], {
        cwd: directory,
        maxBuffer: 16 * 1024 * 1024,
      })
      await run(program, ['--version'])
    } catch (error) {
      await rm(directory, { recursive: true, force: true })
      throw partMissing(`Node ${version}`, (error as Error).message)
    }
    await writeFile(finished, version)
    return program
  })
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
