/** The last lines of a release's processes, and whatever comes next for those who follow. */
export interface LogRing {
  push(line: string): void
  /** The lines that are kept; with `follow` also those to come, until the signal is aborted or the ring is closed. */
  read(options: { follow: boolean; signal: AbortSignal }): AsyncIterable<string>
  /** Ends those who follow; a later line opens it again. */
  close(): void
}

/** A reader that falls behind by more than the ring holds misses lines, and the writer never waits. */
export function createLogRing(maxLines: number): LogRing {
  const lines: string[] = []
  /** Number of the first line that is kept, counted from the beginning. */
  let first = 0
  let closed = false
  let changed = Promise.withResolvers<void>()

  function wake(): void {
    changed.resolve()
    changed = Promise.withResolvers()
  }

  return {
    push(line) {
      closed = false
      lines.push(line)
      if (lines.length > maxLines) {
        lines.shift()
        first += 1
      }
      wake()
    },
    async *read({ follow, signal }) {
      const aborted = new Promise<void>((resolve) =>
        signal.addEventListener('abort', () => resolve(), { once: true }),
      )
      for (let next = first; !signal.aborted;) {
        const more = changed.promise
        next = Math.max(next, first)
        if (next < first + lines.length) yield lines[next++ - first]!
        else if (!follow || closed) return
        else await Promise.race([more, aborted])
      }
    },
    close() {
      closed = true
      wake()
    },
  }
}
