import { basename, extname } from 'node:path/posix'
import { defineFact } from '../../define.ts'
import { SourceText } from '../../source/source-text.ts'
import { isComposeName } from '../compose/compose-purpose.ts'
import { sourceFiles } from '../source-files.ts'
import { readYaml, type YamlProblem } from '../yaml/read-yaml.ts'
import type { KubernetesObject, Kustomization, Manifests, SkippedManifests } from './manifests.ts'
import { readKustomization } from './read-kustomization.ts'
import { readObjects } from './read-object.ts'
import { chartFolders, chartOf, isTemplate } from './template-files.ts'

const EXTENSIONS = new Set(['.yaml', '.yml', '.json'])
const KUSTOMIZATION = /^(?:kustomization\.ya?ml|Kustomization)$/
/** Files of other tools that have no objects, and can be large. */
const OTHERS = /^(?:package(?:-lock)?|tsconfig.*|composer|pnpm-lock|values.*|Chart)\.(?:json|ya?ml)$/
const API_VERSION = /^[ \t-]*["']?apiVersion["']?[ \t]*:|[{,]\s*"apiVersion"\s*:/m
const KIND = /^[ \t-]*["']?kind["']?[ \t]*:|[{,]\s*"kind"\s*:/m
/** Definitions of other kinds are large, and no rule looks at them. */
const DEFINITION = /^kind:[ \t]*["']?CustomResourceDefinition["']?[ \t]*\r?$/m
const BATCH = 32
/** Where JSON that is too large for a whole read shows whether it has objects. */
const HEAD_BYTES = 64 * 1024

/** All Kubernetes objects of the project, in YAML and JSON. */
export const manifests = defineFact<Manifests>({
  id: 'manifests',
  title: 'Kubernetes manifests',
  async collect({ tree, get, signal }) {
    const files = (await get(sourceFiles)) ?? []
    const reader = new ManifestReader(files)
    const isLargeJson = async (file: string) =>
      hasObjects((await tree.read(file, { headBytes: HEAD_BYTES })) ?? '')
    const wanted = files.filter((file) => reader.wants(file))
    for (let at = 0; at < wanted.length; at += BATCH) {
      signal.throwIfAborted()
      const batch = wanted.slice(at, at + BATCH)
      const texts = await Promise.all(batch.map((file) => tree.read(file)))
      for (const [index, file] of batch.entries()) {
        const text = texts[index]!
        // Nearly all JSON of this size is data, of which there is nothing to tell.
        const isData = text === null && extname(file) === '.json' && !(await isLargeJson(file))
        if (!isData) reader.read(file, text)
      }
    }
    return reader.finish()
  },
})

class ManifestReader {
  readonly #charts: ReadonlySet<string>
  readonly #objects: KubernetesObject[] = []
  readonly #kustomizations: Kustomization[] = []
  readonly #problems: YamlProblem[] = []
  readonly #skipped = new Map<string, SkippedManifests>()

  constructor(files: readonly string[]) {
    this.#charts = chartFolders(files)
  }

  wants(file: string): boolean {
    const name = basename(file)
    if (KUSTOMIZATION.test(name)) return true
    return EXTENSIONS.has(extname(name)) && !OTHERS.test(name) && isComposeName(file) !== true
  }

  read(file: string, text: string | null): void {
    const chart = chartOf(file, this.#charts)
    if (chart !== null) return this.#skip(new SourceText(file, text ?? ''), chart, 'helm')
    if (text === null) return this.#skip(new SourceText(file, ''), file, 'size')
    if (KUSTOMIZATION.test(basename(file))) return this.#readKustomization(file, text)
    if (hasObjects(text)) this.#readObjects(file, text)
  }

  finish(): Manifests | null {
    const isEmpty = this.#objects.length + this.#kustomizations.length + this.#problems.length === 0
    const skipped = [...this.#skipped.values()]
    if (isEmpty && skipped.length === 0) return null
    const patches = new Set(this.#kustomizations.flatMap((each) => each.patches))
    const objects = this.#objects.map((object) =>
      patches.has(object.source.file) ? { ...object, isPartial: true } : object,
    )
    return { objects, kustomizations: this.#kustomizations, problems: this.#problems, skipped }
  }

  #readObjects(file: string, text: string): void {
    const source = new SourceText(file, withoutDefinitions(text))
    const { documents, problems } = readYaml(source)
    if (isTemplate(text, documents, problems.length > 0)) return this.#skip(source, file, 'template')
    const objects = documents.flatMap((document) => readObjects(document, source))
    // Something else that only has these words: what is wrong with it is not ours to say.
    if (objects.length === 0 && documents.length > 0) return
    this.#problems.push(...problems)
    this.#objects.push(...objects)
  }

  #readKustomization(file: string, text: string): void {
    const source = new SourceText(file, text)
    const { documents, problems } = readYaml(source)
    this.#problems.push(...problems)
    for (const document of documents) this.#kustomizations.push(readKustomization(document, source))
  }

  #skip(source: SourceText, name: string, reason: SkippedManifests['reason']): void {
    const known = this.#skipped.get(name)
    if (known !== undefined) known.files++
    else this.#skipped.set(name, { place: source.placeOf(0), name, files: 1, reason })
  }
}

function hasObjects(text: string): boolean {
  return API_VERSION.test(text) && KIND.test(text)
}

/** Blanks out definitions of other kinds, so that all places stay what they are. */
function withoutDefinitions(text: string): string {
  if (!DEFINITION.test(text)) return text
  // `---` in the first column always begins a document, even within a text.
  return text
    .split(/^(?=---(?:\s|$))/m)
    .map((document) => {
      if (!DEFINITION.test(document)) return document
      const end = document.startsWith('---') ? document.indexOf('\n') + 1 : 0
      return document.slice(0, end) + document.slice(end).replaceAll(/[^\r\n]/g, ' ')
    })
    .join('')
}
