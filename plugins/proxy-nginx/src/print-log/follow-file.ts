import { closeSync, constants, fstatSync, ftruncateSync, openSync, readSync, rmSync } from 'node:fs'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Writable } from 'node:stream'

const POLL_MS = 200
const PIECE_BYTES = 64 * 1024
/** A file of this size is emptied once all of it is printed. */
const SHORT_BYTES = 4 * 1024 * 1024
/** Where nobody takes what is printed, so much waits at most; the rest is lost, and said to be. */
const WAITING_BYTES = 64 * 1024 * 1024

export interface FollowFileOptions {
  /** Made where it is not there. Whoever writes to it has to append. */
  file: string
  output: Writable
  /** Ends it: what is left is printed, and the file removed. */
  signal: AbortSignal
}

/**
 * Prints what is appended to a file, at the pace of who takes it, and empties the file from time to time. The writer never
 * waits. A line that is appended in the instant between the last read and the emptying is lost.
 */
export async function followFile({ file, output, signal }: FollowFileOptions): Promise<void> {
  const descriptor = openSync(file, constants.O_RDWR | constants.O_CREAT, 0o600)
  const piece = Buffer.alloc(PIECE_BYTES)
  let offset = 0
  output.on('error', ignore)

  async function printRest(): Promise<void> {
    for (;;) {
      const { size } = fstatSync(descriptor)
      if (size - offset > WAITING_BYTES) {
        output.write(`${size - offset} bytes of the access log were not printed in time\n`)
        ftruncateSync(descriptor)
        offset = 0
      }
      const bytes = readSync(descriptor, piece, 0, PIECE_BYTES, offset)
      offset += bytes
      if (bytes === 0) {
        if (offset < SHORT_BYTES) return
        ftruncateSync(descriptor)
        offset = 0
        return
      }
      const isTaken = output.write(Buffer.from(piece.subarray(0, bytes)))
      if (!isTaken && !output.destroyed) await Promise.race([once(output, 'drain'), once(output, 'close')])
    }
  }

  try {
    while (!signal.aborted) {
      await printRest()
      await sleep(POLL_MS, undefined, { signal }).catch(ignore)
    }
    await printRest()
  } finally {
    closeSync(descriptor)
    rmSync(file, { force: true })
  }
}

function ignore(): void {}
