import { chmod, lstat, rename, rm } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { basename, dirname, join } from 'node:path'
import { getSystemErrorMap } from 'node:util'
import type { Address } from '@havn/model/address'
import { errors } from '../errors.ts'
import { bindHandle } from './bound-handle.ts'
import type { Listener } from './listener.ts'

/** This user and group: who may connect to a socket is who may write to it. */
const SOCKET_MODE = 0o660
/** What the kernel's address structure holds, less its final NUL (unix(7)). */
const MAX_PATH_BYTES = 107

/**
 * Binds a Unix socket under a temporary name and renames it into place, so that its mode is right before anyone
 * can connect. A file that a dead server left is replaced; a live server's is not.
 *
 * @throws HAVN_ERR_GATEWAY_ADDRESS_IN_USE, HAVN_ERR_GATEWAY_ADDRESS
 */
export async function bindUnix(address: Extract<Address, { type: 'unix' }>): Promise<Listener> {
  const { path } = address
  const refuse = (reason: string) => errors.HAVN_ERR_GATEWAY_ADDRESS({ address: `unix:${path}`, reason })
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}`)
  if (Buffer.byteLength(temporary) > MAX_PATH_BYTES) throw refuse('its path is too long for a socket')
  const folder = await lstat(dirname(path)).catch(() => null)
  if (folder === null) throw refuse(`the folder ${dirname(path)} does not exist`)
  const before = await lstat(path).catch(() => null)
  if (before !== null && !before.isSocket()) throw refuse('something that is no socket lies there')
  if (before !== null && (await answers(path))) {
    throw errors.HAVN_ERR_GATEWAY_ADDRESS_IN_USE({ address: `unix:${path}` })
  }

  await rm(temporary, { force: true })
  const handle = bindHandle(temporary, -1, -1)
  if (typeof handle === 'number') {
    // libuv reports a missing folder and missing rights alike.
    const [code, text] = getSystemErrorMap().get(handle) ?? ['', `error ${handle}`]
    throw refuse(code === 'EACCES' ? 'this user may not make files in its folder' : text)
  }
  await chmod(temporary, SOCKET_MODE)
  await rename(temporary, path)
  const { ino } = await lstat(path)

  let open = true
  return {
    address,
    fd: handle.fd,
    async close() {
      if (!open) return
      open = false
      handle.close()
      // A successor may have put its own socket there.
      const now = await lstat(path).catch(() => null)
      if (now?.ino === ino) await rm(path, { force: true })
    },
  }
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(path)
    const finish = (alive: boolean) => {
      socket.destroy()
      resolve(alive)
    }
    socket.once('connect', () => finish(true))
    // A full backlog is a live server too.
    socket.once('error', (error: NodeJS.ErrnoException) =>
      finish(error.code === 'EAGAIN' || error.code === 'EACCES'),
    )
  })
}
