import { defineFact } from '../define.ts'

/** Folders of what others made: their files are not the project's to mend. */
const FOREIGN = new Set([
  'node_modules',
  '.git',
  '.hg',
  '.svn',
  '.venv',
  'venv',
  '.tox',
  '__pycache__',
  '.platform',
])
const MAX_FILES = 50_000
const MAX_DEPTH = 20

/** `{{cookiecutter.project_slug}}`: what lies in it is the template of another project. */
const TEMPLATE = /\{\{|\{%/

/** The project's files, sorted, without those of templates of projects. Links to folders are not followed: what they lead to is looked at where it lies. */
export const sourceFiles = defineFact<readonly string[]>({
  id: 'source-files',
  title: 'Files',
  async collect({ tree, signal }) {
    const files: string[] = []
    async function walk(folder: string, depth: number): Promise<void> {
      for (const name of await tree.list(folder === '' ? '.' : folder)) {
        signal.throwIfAborted()
        if (files.length >= MAX_FILES) return
        if (TEMPLATE.test(name)) continue
        if (!name.endsWith('/')) files.push(folder + name)
        else if (depth < MAX_DEPTH && !FOREIGN.has(name.slice(0, -1))) await walk(folder + name, depth + 1)
      }
    }
    await walk('', 0)
    return files.length > 0 ? files.sort() : null
  },
})
