import { readFileSync, rmSync, statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** A real-time signal, which no app uses: the host writes each thread's stack into its file (Linux). */
const STACK_SIGNAL = 50
const POLL_MS = 20
const WAIT_MS = 1_000
/** Stacks of many threads are long; their beginning tells most. */
const MAX_CHARS = 16 * 1024

/** The file into which a host writes its Python stacks: as it dies of a fatal error, or when it is asked to. */
export class WorkerStacks {
  readonly path: string

  constructor(path: string) {
    this.path = path
  }

  /** Has a host that runs write its stacks, and waits until it has, or will not: one that is stopped does not. */
  async request(pid: number): Promise<void> {
    if (process.platform !== 'linux') return
    const before = this.#size()
    try {
      process.kill(pid, STACK_SIGNAL)
    } catch {
      // It has ended already.
      return
    }
    let size = before
    for (let waitedMs = 0; waitedMs < WAIT_MS; waitedMs += POLL_MS) {
      await sleep(POLL_MS)
      const now = this.#size()
      if (now > before && now === size) return
      size = now
    }
  }

  /** What the host has written; undefined when it has written nothing. */
  read(): string | undefined {
    try {
      const text = readFileSync(this.path, 'utf8').trim()
      return text === '' ? undefined : text.slice(0, MAX_CHARS)
    } catch {
      return undefined
    }
  }

  remove(): void {
    rmSync(this.path, { force: true })
  }

  #size(): number {
    return statSync(this.path, { throwIfNoEntry: false })?.size ?? 0
  }
}
