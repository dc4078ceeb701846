import type { FileCacheConfig } from '@havn/model'
import type { CachedFile } from './cached-file.ts'

/** How long looking at a file may take before the next one looks too. */
const LOOKING_MS = 1_000

/** Files in memory, bounded by their bytes; what was not asked for longest leaves first. */
export class FileCache {
  readonly #config: FileCacheConfig
  /** In the order in which they were asked for last. */
  readonly #files = new Map<string, CachedFile>()
  #bytes = 0

  constructor(config: FileCacheConfig) {
    this.#config = config
  }

  /** True when a file of this size may be kept. */
  takes(size: number): boolean {
    return size <= this.#config.maxFileBytes && size <= this.#config.maxBytes
  }

  /** The file, when it need not be looked at. */
  fresh(key: string): CachedFile | null {
    const file = this.#files.get(key)
    if (file === undefined || file.freshUntil <= performance.now()) return null
    this.#files.delete(key)
    this.#files.set(key, file)
    return file
  }

  /**
   * The same for whoever, given null, looks at the file, and says by {@link keep}, {@link renew} or {@link drop} what
   * came of it: until then the others get it as it was.
   */
  freshOrMine(key: string): CachedFile | null {
    const file = this.fresh(key)
    if (file === null) {
      const stale = this.#files.get(key)
      if (stale !== undefined) stale.freshUntil = performance.now() + LOOKING_MS
    }
    return file
  }

  /** The file that is there, when it is in this state: it is fresh again. */
  renew(key: string, state: string): CachedFile | null {
    const file = this.#files.get(key)
    if (file === undefined || file.state !== state) return null
    file.freshUntil = this.freshUntil()
    return file
  }

  freshUntil(): number {
    return performance.now() + this.#config.freshMs
  }

  keep(key: string, file: CachedFile): void {
    this.drop(key)
    this.#files.set(key, file)
    this.#bytes += file.bytes
    for (const oldest of this.#files.keys()) {
      if (this.#bytes <= this.#config.maxBytes) break
      this.drop(oldest)
    }
  }

  drop(key: string): void {
    const file = this.#files.get(key)
    if (file === undefined) return
    this.#files.delete(key)
    this.#bytes -= file.bytes
  }
}
