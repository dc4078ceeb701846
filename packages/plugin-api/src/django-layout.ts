import type { Evidence } from '@havn/model'
import type { SourceTree } from './source-tree.ts'

/** Folders that hold no project of the user's to serve. */
const notProjects =
  /^(\.|_)|^(node_modules|s?env|venv|virtualenv|tests?|docs?|static|media|templates|dist|build)\/$/
/** Folders whose projects only show how something is used: taken when there is no other. */
const samples = /^(examples?|samples?|demos?|sandbox|testproject|test_project)\/$/

/** More in one tree are looked at by nobody. */
const MAX_PROJECTS = 5
const MAX_FOLDERS = 500

/** A settings module that a file names. */
export interface DjangoSettingsHint {
  module: string
  file: string
  line: number
}

/** Where the module with an entry lies. */
export interface DjangoEntryFile {
  /** Relative to the tree's root. */
  file: string
  /** As Python imports it from the project's folder: `mysite.wsgi`. */
  module: string
  settings: DjangoSettingsHint | null
}

/** What a tree's text shows of a Django project: hints, which the booted settings confirm. */
export interface DjangoLayout {
  /** Folder of manage.py (or of the entry's package), relative to the tree's root: `.` or `backend`. */
  directory: string
  manage: { file: string; settings: DjangoSettingsHint | null } | null
  wsgi: DjangoEntryFile | null
  asgi: DjangoEntryFile | null
  evidence: Evidence[]
}

/** Looks for manage.py, wsgi.py and asgi.py in the root, and one folder down. Null when none speaks of Django. */
export async function readDjangoLayout(tree: SourceTree): Promise<DjangoLayout | null> {
  for await (const layout of walkLayouts(tree, 1)) return layout
  return null
}

/** All Django projects in the root and up to two folders down; samples only where there is nothing else. */
export async function readDjangoLayouts(tree: SourceTree): Promise<DjangoLayout[]> {
  const layouts: DjangoLayout[] = []
  for await (const layout of walkLayouts(tree, 2)) {
    const isSample = layout.directory.split('/').some((name) => samples.test(`${name}/`))
    if (!isSample || layouts.length === 0) layouts.push(layout)
    if (layouts.length === MAX_PROJECTS) break
  }
  return layouts
}

async function* walkLayouts(tree: SourceTree, depth: number): AsyncGenerator<DjangoLayout> {
  let isFound = false
  for (const directory of await listProjectFolders(tree, depth)) {
    const file = join(directory, 'manage.py')
    const text = await tree.read(file)
    if (text === null || !/django/i.test(text)) continue
    isFound = true
    yield await describeProject(tree, directory, { file, settings: readSettingsHint(file, text) })
  }
  if (isFound) return
  const project = await describeProject(tree, '.', null)
  if (project.wsgi || project.asgi) yield project
}

/** The root, then what lies below it, samples last. */
async function listProjectFolders(tree: SourceTree, depth: number): Promise<string[]> {
  const folders = ['.']
  let level = ['.']
  for (let at = 0; at < depth; at++) {
    const below = await Promise.all(
      level.map(async (parent) => (await listFolders(tree, parent)).map((name) => join(parent, name))),
    )
    level = below.flat().slice(0, MAX_FOLDERS)
    folders.push(...level)
  }
  const isSample = (folder: string) => folder.split('/').some((name) => samples.test(`${name}/`))
  return [...folders.filter((folder) => !isSample(folder)), ...folders.filter(isSample)]
}

async function describeProject(
  tree: SourceTree,
  directory: string,
  manage: DjangoLayout['manage'],
): Promise<DjangoLayout> {
  const packageName = manage?.settings?.module.split('.')[0]
  const wsgi = await findEntry(tree, { directory, name: 'wsgi', packageName })
  const asgi = await findEntry(tree, { directory, name: 'asgi', packageName })
  const evidence: Evidence[] = []
  if (manage?.settings) evidence.push(toEvidence(manage.settings))
  else if (manage)
    evidence.push({ fact: 'framework', because: 'manage.py speaks of Django', file: manage.file })
  for (const entry of [wsgi, asgi]) {
    if (!entry) continue
    if (entry.settings) evidence.push(toEvidence(entry.settings))
    else
      evidence.push({
        fact: 'framework',
        because: `${entry.module} makes a Django application`,
        file: entry.file,
      })
  }
  return { directory, manage, wsgi, asgi, evidence }
}

/** The wsgi.py or asgi.py that belongs to the settings' package, or else the first that speaks of Django. */
async function findEntry(
  tree: SourceTree,
  {
    directory,
    name,
    packageName,
  }: { directory: string; name: 'wsgi' | 'asgi'; packageName: string | undefined },
): Promise<DjangoEntryFile | null> {
  const folders = await listPackages(tree, directory)
  const ofPackage = (folder: string) => folder.split('/')[0] === packageName
  for (const folder of [...folders.filter(ofPackage), ...folders.filter((each) => !ofPackage(each))]) {
    const path = folder === '' ? `${name}.py` : `${folder}/${name}.py`
    const file = join(directory, path)
    const text = await tree.read(file)
    if (text === null || !/django/i.test(text)) continue
    const module = path.slice(0, -3).replaceAll('/', '.')
    return { file, module, settings: readSettingsHint(file, text) }
  }
  return null
}

/** Folders that may be packages, at most two deep, relative to the project's; the project's own is empty. */
async function listPackages(tree: SourceTree, directory: string): Promise<string[]> {
  const folders = ['']
  for (const first of await listFolders(tree, directory)) {
    folders.push(first)
    for (const second of await listFolders(tree, join(directory, first))) folders.push(`${first}/${second}`)
  }
  return folders.sort((a, b) => a.split('/').length - b.split('/').length)
}

async function listFolders(tree: SourceTree, path: string): Promise<string[]> {
  const names = await tree.list(path)
  return names.flatMap((name) => (name.endsWith('/') && !notProjects.test(name) ? name.slice(0, -1) : []))
}

/** `os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")`, or an assignment. */
export function readSettingsHint(file: string, text: string): DjangoSettingsHint | null {
  const named = /DJANGO_SETTINGS_MODULE['"]\s*\]?\s*[,=]\s*['"]([A-Za-z_][\w.]*)['"]/g
  // Django's older wsgi.py has another form in its comments.
  const match = [...text.matchAll(named)].find(({ index }) => !isCommented(text, index))
  if (!match) return null
  return { module: match[1] ?? '', file, line: text.slice(0, match.index).split('\n').length }
}

function isCommented(text: string, index: number): boolean {
  return text
    .slice(text.lastIndexOf('\n', index) + 1, index)
    .trimStart()
    .startsWith('#')
}

function toEvidence({ module, file, line }: DjangoSettingsHint): Evidence {
  return { fact: 'env.DJANGO_SETTINGS_MODULE', because: `${file} names ${module}`, file, line }
}

function join(directory: string, path: string): string {
  return directory === '.' ? path : `${directory}/${path}`
}

/** The settings that a project boots with, and who chose them. */
export interface ChosenSettings {
  /** Null: only wsgi.py or asgi.py, when run, can tell. */
  module: string | null
  because: string
  file?: string
  line?: number
}

/**
 * What names the settings from outside, in the order of `named`, then what the served entry names, then manage.py: a
 * project often has settings for development in manage.py and those for production in wsgi.py. Null where nothing does.
 */
export function chooseDjangoSettings(
  layout: DjangoLayout | null,
  named: readonly { module: string | undefined; who: string }[],
): ChosenSettings | null {
  for (const { module, who } of named) if (module) return { module, because: `${who} sets it to ${module}` }
  const hints = [layout?.wsgi?.settings, layout?.asgi?.settings, layout?.manage?.settings]
  const hint = hints.find((each) => each != null)
  if (hint) {
    const { module, file, line } = hint
    return { module, because: `${file} names ${module}`, file, line }
  }
  const entry = layout?.wsgi ?? layout?.asgi
  return entry ? { module: null, because: `${entry.file} sets it when it runs`, file: entry.file } : null
}
