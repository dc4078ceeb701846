import { isMap, isScalar, parseDocument } from 'yaml'
import { MappedText } from '../../source/mapped-text.ts'
import type { SourceText } from '../../source/source-text.ts'
import type { FileSearch } from './find-file.ts'

/** The scripts of the project's package.json files. */
export class PackageScripts {
  readonly #open: (file: string) => Promise<SourceText | null>

  constructor(open: (file: string) => Promise<SourceText | null>) {
    this.#open = open
  }

  /** The script that `npm run NAME` runs: of the nearest package.json in the folder or above, or of the only one. */
  async find(name: string, { files, near }: FileSearch): Promise<MappedText | null> {
    const all = files.filter((file) => file === 'package.json' || file.endsWith('/package.json'))
    const above = all
      .filter((file) => near.startsWith(file.slice(0, -'package.json'.length)))
      .sort((one, other) => other.length - one.length)
    const chosen = above.length > 0 ? above : all.length === 1 ? all : []
    for (const file of chosen) {
      const source = await this.#open(file)
      const script = source === null ? undefined : scriptsOf(source).get(name)
      if (script !== undefined) return script
    }
    return null
  }
}

/** The scripts of one package.json, by name; none where it is no JSON. */
export function scriptsOf(source: SourceText): Map<string, MappedText> {
  const scripts = new Map<string, MappedText>()
  const found = contentsOf(source)
  if (found === null) return scripts
  for (const { key, value } of found.items) {
    if (!isScalar(key) || !isScalar(value) || typeof value.value !== 'string' || !value.range) continue
    const [start, end] = value.range
    const raw = source.text.slice(start, end)
    const text = value.value
    // Inside the quotes; with escapes, what follows the first of them lies where the script begins.
    const isPlain = raw.slice(1, -1) === text
    scripts.set(
      String(key.value),
      isPlain
        ? MappedText.of(source, start + 1, end - 1)
        : new MappedText(source, text, [...Array.from(text, () => start), start]),
    )
  }
  return scripts
}

function contentsOf(source: SourceText) {
  try {
    const document = parseDocument(source.text, { logLevel: 'silent', prettyErrors: false })
    const scripts = isMap(document.contents) ? document.contents.get('scripts', true) : null
    return isMap(scripts) ? scripts : null
  } catch {
    return null
  }
}
