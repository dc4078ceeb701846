import net from 'node:net'

/** What libuv's TCP and pipe handles offer here. */
interface NodeHandle {
  readonly fd: number
  close(): void
  getsockname?(out: { address?: string; port?: number }): number
}

interface NetInternals {
  _createServerHandle(
    address: string,
    port: number,
    type: number,
    fd: number,
    flags: number,
  ): NodeHandle | number
}

/** A socket that is bound and held, but accepts nothing in this process. */
export interface BoundHandle {
  readonly fd: number
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
  const handle = _createServerHandle(address, port, type, -1, 0)
  if (typeof handle === 'number') return handle
  const name: { port?: number } = {}
  // libuv keeps a bind's EADDRINUSE to itself until the socket is asked for its name.
  const failure = handle.getsockname?.(name) ?? 0
  if (failure !== 0) {
    handle.close()
    return failure
  }
  return { fd: handle.fd, port: name.port ?? 0, close: () => handle.close() }
}
