import type { OnReadOpts } from 'node:net'

/** Where every connection of a thread is read into: what comes is looked at before the next one is read. */
const buffer = Buffer.allocUnsafeSlow(64 * 1024)

/**
 * How a socket is read without memory of its own for each packet, which costs more than a small one is worth.
 *
 * @param receive is given bytes that are there until it returns: what is kept longer must be copied.
 */
export function readInto(receive: (bytes: Buffer) => void): OnReadOpts {
  return {
    buffer,
    callback(size) {
      receive(buffer.subarray(0, size))
      return true
    },
  }
}
