import net from 'node:net'

/** What libuv's TCP and pipe handles offer here. */
interface NodeHandle {
  readonly fd: number
  close(): void
  getsockname?(out: { address?: string; port?: number }): number
}

interface NetInternals {
  _createServerHandle(
    address: string | null,
    port: number,
    type: number,
    fd: number,
    flags: number,
  ): NodeHandle | number
}

/** A socket that is bound and held, but accepts nothing in this process. */
export interface BoundHandle {
  readonly fd: number
  /** The address that it is bound to; empty for a Unix socket. */
  readonly host: string
  /** The kernel's choice, where the port was 0. */
  readonly port: number
  close(): void
}

/**
 * Binds without listening. Node has no public way to do so: `net.createServer().listen()` accepts at once, and
 * connections that the supervisor accepted would be nobody's. This file alone knows of the private function.
 *
 * @returns the handle, or the negative errno. Port and type are -1 for a Unix socket's path.
 */
export function bindHandle(address: string, port: number, type: 4 | 6 | -1): BoundHandle | number {
  const { _createServerHandle } = net as unknown as NetInternals
  return describe(_createServerHandle(address, port, type, -1, 0))
}

/** Takes over a descriptor of a socket that is bound already, and maybe listens. @returns as {@link bindHandle}. */
export function adoptHandle(fd: number): BoundHandle | number {
  const { _createServerHandle } = net as unknown as NetInternals
  return describe(_createServerHandle(null, 0, -1, fd, 0))
}

function describe(handle: NodeHandle | number): BoundHandle | number {
  if (typeof handle === 'number') return handle
  const name: { address?: string; port?: number } = {}
  // libuv keeps a bind's EADDRINUSE to itself until the socket is asked for its name.
  const failure = handle.getsockname?.(name) ?? 0
  if (failure !== 0) {
    handle.close()
    return failure
  }
  return { fd: handle.fd, host: name.address ?? '', port: name.port ?? 0, close: () => handle.close() }
}
