import type { Evidence } from '@havn/model'
import type { SourceTree } from '@havn/plugin-api'

/** Folders that hold no project of the user's to serve. */
const notProjects =
  /^(\.|_)|^(node_modules|s?env|venv|virtualenv|tests?|docs?|static|media|templates|dist|build)\/$/
/** Folders whose projects only show how something is used: taken when there is no other. */
const samples = /^(examples?|samples?|demos?|sandbox|testproject|test_project)\/$/

/** A settings module that a file names. */
export interface SettingsHint {
  module: string
  file: string
  line: number
}

/** Where the module with an entry lies. */
export interface EntryFile {
  /** Relative to the tree's root. */
  file: string
  /** As Python imports it from the project's folder: `mysite.wsgi`. */
  module: string
  settings: SettingsHint | null
}

/** What a tree's text shows of a Django project: hints, which the booted settings confirm. */
export interface DjangoProject {
  /** Folder of manage.py (or of the entry's package), relative to the tree's root: `.` or `backend`. */
  directory: string
  manage: { file: string; settings: SettingsHint | null } | null
  wsgi: EntryFile | null
  asgi: EntryFile | null
  evidence: Evidence[]
}

/** Looks for manage.py, wsgi.py and asgi.py in the root, and one folder down. Null when none speaks of Django. */
export async function readDjangoProject(tree: SourceTree): Promise<DjangoProject | null> {
  const below = (await tree.list()).filter((name) => name.endsWith('/') && !notProjects.test(name))
  const ordered = [
    ...below.filter((name) => !samples.test(name)),
    ...below.filter((name) => samples.test(name)),
  ]
  const directories = ['.', ...ordered.map((name) => name.slice(0, -1))]
  for (const directory of directories) {
    const file = join(directory, 'manage.py')
    const text = await tree.read(file)
    if (text === null || !/django/i.test(text)) continue
    const manage = { file, settings: readSettingsHint(file, text) }
    return describeProject(tree, directory, manage)
  }
  const project = await describeProject(tree, '.', null)
  return project.wsgi || project.asgi ? project : null
}

async function describeProject(
  tree: SourceTree,
  directory: string,
  manage: DjangoProject['manage'],
): Promise<DjangoProject> {
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
): Promise<EntryFile | null> {
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
export function readSettingsHint(file: string, text: string): SettingsHint | null {
  const match = /DJANGO_SETTINGS_MODULE['"]\s*\]?\s*[,=]\s*['"]([A-Za-z_][\w.]*)['"]/.exec(text)
  if (!match) return null
  return { module: match[1] ?? '', file, line: text.slice(0, match.index).split('\n').length }
}

function toEvidence({ module, file, line }: SettingsHint): Evidence {
  return { fact: 'env.DJANGO_SETTINGS_MODULE', because: `${file} names ${module}`, file, line }
}

function join(directory: string, path: string): string {
  return directory === '.' ? path : `${directory}/${path}`
}
