import { constants, fstatSync, openSync, readFileSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'

/** A descriptor to write log lines to. */
export interface LogDescriptor {
  fd: number
  /** True when a write to it never waits for a reader: it fails with EAGAIN instead. */
  nonBlocking: boolean
  /** True when the descriptor is ours to close. */
  owned: boolean
}

/**
 * Finds a way to write to a descriptor that cannot wait for its reader.
 *
 * O_NONBLOCK belongs to the open file description, which a shell or a child process may share, so it is not
 * switched on where that can be avoided: a pipe or terminal is opened again through /proc, which gives a
 * description of our own. A socket cannot be opened again; Node switches O_NONBLOCK on for its own standard
 * streams as soon as they are used, so those are touched. What remains may block, and {@link LogOutput} writes
 * to it on libuv's thread pool.
 */
export function openLogDescriptor(fd: number): LogDescriptor {
  const stat = fstatSync(fd)
  if (stat.isFile()) return { fd, nonBlocking: true, owned: false }
  if (stat.isFIFO() || stat.isCharacterDevice()) {
    const own = reopen(fd)
    if (own !== null) return { fd: own, nonBlocking: true, owned: true }
  }
  if (isMainThread && fd === 1) void process.stdout
  if (isMainThread && fd === 2) void process.stderr
  return { fd, nonBlocking: isNonBlocking(fd), owned: false }
}

function reopen(fd: number): number | null {
  try {
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY)
  } catch {
    return null
  }
}

function isNonBlocking(fd: number): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))
    return flags !== null && (parseInt(flags[1]!, 8) & constants.O_NONBLOCK) !== 0
  } catch {
    return false
  }
}
