import { basename, extname } from 'node:path/posix'
import { setImmediate as yieldToOthers } from 'node:timers/promises'
import { defineFact, gitFiles, sourceFiles, SourceText } from '@havn/checklist'
import { isEnvironmentFile } from '../paths.ts'
import { readContent } from './read-files.ts'
import { scanText, type SecretHit } from './scan-text.ts'

/** The project's files that hold text, and what was found in them. */
export interface Scan {
  /** Looked at, sorted: what is in the repository, or would be with the next commit. */
  files: readonly string[]
  hits: readonly SecretHit[]
  /** Own files that were not read, and why. */
  left: readonly { file: string; reason: string }[]
  /** Files that were still to be read when the time was over. */
  late: number
}

const MAX_TIME_MS = 20_000
/** Files that are read before others have their turn: some milliseconds. */
const FILES_AT_A_TIME = 32

/** Nothing of these is read: pictures, archives, what programs wrote. */
const PASSED_OVER = new Set(
  (
    '.png .jpg .jpeg .gif .webp .avif .ico .bmp .svg .woff .woff2 .ttf .otf .eot .pdf .zip .gz .tgz .bz2 .xz .zst .br .7z .jar ' +
    '.mp3 .mp4 .webm .mov .wav .ogg .wasm .so .dylib .dll .exe .pyc .class .o .a .mo .po .pot .map .lock .csv .tsv .parquet'
  ).split(' '),
)
/** Sums, not secrets; those of detect-secrets' baseline are of secrets. */
const LOCK_FILE =
  /^\.secrets\.baseline$|^(?:package-lock|npm-shrinkwrap|composer)\.json$|^pnpm-lock\.yaml$|^go\.sum$|lock\.json$/
const MINIFIED = /\.min\.\w+$|[.-]bundle\.\w+$/

/**
 * What a clone of the project would hold. Without git, files of variables are left out: they lie on each machine that
 * runs the app, and nothing says that they go anywhere.
 */
export const secretScan = defineFact<Scan>({
  id: 'secret-scan',
  title: 'Files',
  async collect({ tree, get, signal }) {
    const all = await get(sourceFiles)
    if (all === null) return null
    const git = await get(gitFiles)
    const isShared = (file: string) =>
      git === null ? !isEnvironmentFile(file) : git.tracked.has(file) || git.untracked.has(file)
    const files = all.filter((file) => isShared(file) && !isPassedOver(file))

    const hits: SecretHit[] = []
    const left: { file: string; reason: string }[] = []
    const end = performance.now() + MAX_TIME_MS
    let count = 0
    for (const file of files) {
      if (count % FILES_AT_A_TIME === 0) {
        await yieldToOthers(null, { signal })
        if (performance.now() > end) break
      }
      count++
      const reason = scanFile(tree.root, file, hits)
      if (reason !== null) left.push({ file, reason })
    }
    return { files, hits, left, late: files.length - count }
  },
})

/** @returns why it was not read; null where it was, or is nothing to read. */
function scanFile(root: string, file: string, hits: SecretHit[]): string | null {
  try {
    const content = readContent(root, file)
    if (content.type === 'text') hits.push(...scanText(new SourceText(file, content.text)))
    return content.type === 'large' ? 'it is larger than 1 MB' : null
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error)
  }
}

function isPassedOver(file: string): boolean {
  const name = basename(file)
  return PASSED_OVER.has(extname(name).toLowerCase()) || LOCK_FILE.test(name) || MINIFIED.test(name)
}
