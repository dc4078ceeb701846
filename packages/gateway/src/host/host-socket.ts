import { chmod, lstat, mkdir, rm, stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { Socket } from 'node:net'
import { dirname } from 'node:path'
import { hostErrors } from './errors.ts'

/** The socket that hosts connect to. */
export interface HostSocket {
  /** Ends all connections and removes the socket. Safe to call twice. */
  close(): Promise<void>
}

/**
 * Listens on a private Unix socket: mode 0600, in a folder that nobody else may enter. What an earlier run has
 * left under this path is removed.
 *
 * @throws HAVN_ERR_HOST_SOCKET
 */
export async function listenForHosts(path: string, onSocket: (socket: Socket) => void): Promise<HostSocket> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    onSocket(socket)
  })
  try {
    await preparePath(path)
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(path, resolve)
    })
    await chmod(path, 0o600)
  } catch (error) {
    server.close()
    throw hostErrors.HAVN_ERR_HOST_SOCKET({ path, reason: (error as Error).message }, { cause: error })
  }
  return {
    async close() {
      for (const socket of sockets) socket.destroy()
      // An error says that it is closed already.
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

async function preparePath(path: string): Promise<void> {
  const folder = dirname(path)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const { mode } = await stat(folder)
  if ((mode & 0o077) !== 0) throw new Error(`the folder ${folder} is open to others`)
  const before = await lstat(path).catch(() => null)
  if (before === null) return
  if (!before.isSocket()) throw new Error('something else lies there')
  await rm(path)
}
