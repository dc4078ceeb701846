import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { access, mkdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { withLock } from './lock.ts'
import { partMissing } from './missing.ts'
import { partsDirectory } from './parts-directory.ts'

const run = promisify(execFile)

/**
 * Builds, once, programs written in Go, from the module proxy. The compiler is the machine's own.
 *
 * @param programs packages with versions, such as `github.com/letsencrypt/pebble/v2/cmd/pebble@v2.10.3`.
 * @returns the absolute path of the folder that has them, each by the last part of its package's path.
 */
export async function ensureGo(programs: readonly string[]): Promise<string> {
  const wanted = [...programs].sort()
  const name = `go-${createHash('sha256').update(wanted.join('\n')).digest('hex').slice(0, 12)}`
  const directory = join(await partsDirectory(), name)
  const finished = join(directory, 'installed')
  if (await exists(finished)) return directory

  return withLock(`${directory}.lock`, async () => {
    if (await exists(finished)) return directory
    await rm(directory, { recursive: true, force: true })
    await mkdir(directory, { recursive: true })
    try {
      // Without GOTOOLCHAIN=local, go would fetch another compiler for a module that asks for one.
      const env = { ...process.env, GOBIN: directory, GOTOOLCHAIN: 'local' }
      await run('go', ['install', ...wanted], { env, maxBuffer: 16 * 1024 * 1024 })
    } catch (error) {
      await rm(directory, { recursive: true, force: true })
      throw partMissing(wanted.join(' '), (error as Error).message)
    }
    await writeFile(finished, wanted.join('\n') + '\n')
    return directory
  })
}

/**
 * Loads the source of a Go module from the module proxy, or finds it where that was done before.
 *
 * @param module with its version: `github.com/owenrumney/go-sarif/v3@v3.3.1`.
 * @returns the absolute path of its folder, which is read-only.
 */
export async function ensureGoModule(module: string): Promise<string> {
  try {
    const env = { ...process.env, GOTOOLCHAIN: 'local' }
    const { stdout } = await run('go', ['mod', 'download', '-json', module], { env, cwd: tmpdir() })
    return (JSON.parse(stdout) as { Dir: string }).Dir
  } catch (error) {
    throw partMissing(module, (error as Error).message)
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
