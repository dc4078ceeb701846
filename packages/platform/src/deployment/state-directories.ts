import { createHash } from 'node:crypto'
import { chmod, mkdir, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { errors } from '../errors.ts'

/**
 * The folder in the source tree where Havn keeps what it made for this app: the virtual environment and the
 * stamps of finished steps. It ignores itself in git.
 *
 * @throws HAVN_ERR_STATE_UNWRITABLE
 */
export async function ensureStateDirectory(root: string): Promise<string> {
  const path = join(root, '.platform')
  try {
    await mkdir(path, { recursive: true })
    await writeFile(join(path, '.gitignore'), '*\n')
  } catch (error) {
    throw errors.HAVN_ERR_STATE_UNWRITABLE({ path, reason: (error as Error).message }, { cause: error })
  }
  return path
}

/** Where sockets and generated files of a running app lie; short, since a Unix socket's path has at most 107 bytes. */
export function runDirectoryOf(root: string): string {
  const uid = process.getuid?.() ?? 0
  const parent = process.env['XDG_RUNTIME_DIR'] ?? join(tmpdir(), `havn-${uid}`)
  return join(parent, `havn-${createHash('sha256').update(root).digest('hex').slice(0, 12)}`)
}

/** Makes the run directory, private to this user. @throws HAVN_ERR_STATE_UNWRITABLE */
export async function ensureRunDirectory(root: string): Promise<string> {
  const path = runDirectoryOf(root)
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    await mkdir(path, { recursive: true, mode: 0o700 })
    await chmod(path, 0o700)
    const { uid } = await stat(dirname(path))
    const own = process.getuid?.() ?? uid
    if (uid !== own && uid !== 0) throw new Error(`${dirname(path)} belongs to another user`)
  } catch (error) {
    throw errors.HAVN_ERR_STATE_UNWRITABLE({ path, reason: (error as Error).message }, { cause: error })
  }
  return path
}
