import { mkdir, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { errors } from '../errors.ts'

/** Beyond it, the sockets inside would have paths that the kernel does not take. */
const MAX_PATH_BYTES = 64

/**
 * Makes a private folder (0700) of this gateway's own, so that two gateways with one `runDirectory` never meet.
 * Where that path is too long for sockets, the folder is made in the system's temporary one.
 *
 * @throws HAVN_ERR_GATEWAY_RUN_DIRECTORY
 */
export async function createRunDirectory(base: string | undefined): Promise<string> {
  const parent = base !== undefined && Buffer.byteLength(base) <= MAX_PATH_BYTES ? base : tmpdir()
  try {
    await mkdir(parent, { recursive: true, mode: 0o700 })
    return await mkdtemp(join(parent, 'gateway-'))
  } catch (cause) {
    throw errors.HAVN_ERR_GATEWAY_RUN_DIRECTORY({ path: parent, reason: (cause as Error).message }, { cause })
  }
}
