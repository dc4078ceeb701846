import { readFile, readlink } from 'node:fs/promises'
import type { Address } from '@havn/model/address'
import { errors } from '../errors.ts'
import { adoptHandle } from './bound-handle.ts'
import type { Listener } from './listener.ts'

/**
 * Makes a listener of a socket that somebody else bound and passed to this process. Closing it leaves the socket, and
 * a Unix socket's file, to whoever bound it.
 *
 * @throws HAVN_ERR_GATEWAY_ADDRESS
 */
export async function adoptSocket(fd: number): Promise<Listener> {
  const handle = adoptHandle(fd)
  if (typeof handle === 'number') {
    const reason = 'it is no socket that can be listened on'
    throw errors.HAVN_ERR_GATEWAY_ADDRESS({ address: `descriptor ${fd}`, reason })
  }
  const { host, port } = handle
  const address: Address =
    host === '' ? { type: 'unix', path: await unixPath(fd) } : { type: 'tcp', host, port }
  let open = true
  return {
    address,
    fd: handle.fd,
    async close() {
      if (open) handle.close()
      open = false
    },
  }
}

/** Node does not tell; the kernel's list does (proc_net(5)). */
async function unixPath(fd: number): Promise<string> {
  const link = await readlink(`/proc/self/fd/${fd}`).catch(() => '')
  const inode = /^socket:\[(\d+)\]$/.exec(link)?.[1]
  const lines = (await readFile('/proc/net/unix', 'utf8').catch(() => '')).split('\n')
  const fields = lines.map((line) => line.trim().split(/\s+/)).find((line) => line[6] === inode)
  return fields?.slice(7).join(' ') ?? ''
}
