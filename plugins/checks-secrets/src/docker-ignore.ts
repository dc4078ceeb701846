import { basename, dirname } from 'node:path/posix'
import { defineFact, sourceFiles } from '@havn/checklist'

/** What `.dockerignore` files leave out of build contexts. */
export interface DockerIgnore {
  /** @param folder the context's, relative to the project; the project's own is `''`. */
  leavesOut(file: string, folder: string): boolean
}

/** The project's `.dockerignore` files. Without any, nothing is left out. */
export const dockerIgnore = defineFact<DockerIgnore>({
  id: 'docker-ignore',
  title: '.dockerignore files',
  async collect({ tree, get }) {
    const byFolder = new Map<string, string[]>()
    for (const file of (await get(sourceFiles)) ?? []) {
      if (basename(file) !== '.dockerignore' && !/\.dockerignore$/.test(file)) continue
      const folder = dirname(file) === '.' ? '' : dirname(file)
      const lines = parse((await tree.read(file)) ?? '')
      byFolder.set(folder, [...(byFolder.get(folder) ?? []), ...lines])
    }
    return {
      leavesOut(file, folder) {
        const below = folder === '' ? file : file.slice(folder.length + 1)
        return isLeftOut(below, byFolder.get(folder) ?? [])
      },
    }
  },
})

function parse(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
}

/** The last line that matches a file, or a folder that it is in, decides. */
function isLeftOut(file: string, lines: readonly string[]): boolean {
  const parts = file.split('/')
  const paths = parts.map((_, at) => parts.slice(0, at + 1).join('/'))
  let isOut = false
  for (const line of lines) {
    const isException = line.startsWith('!')
    const pattern = toPattern(line.slice(isException ? 1 : 0).replaceAll(/^(?:\.?\/)+|\/+$/g, ''))
    if (paths.some((path) => pattern.test(path))) isOut = !isException
  }
  return isOut
}

/** As Docker has it: `*` within a name, dots included; `**` over folders, none included. */
function toPattern(glob: string): RegExp {
  const parts = glob.match(/\*\*\/?|\*|\?|\[[^\]]+\]|[^*?[]+|\[/g) ?? []
  // What takes this many is no name that anybody looks for, and would be tried in very many ways.
  if (parts.filter((part) => part.startsWith('*')).length > 6) return /^$/
  const source = parts.map((part) => {
    if (part === '**/') return '(?:.*/)?'
    if (part === '**') return '.*'
    if (part === '*') return '[^/]*'
    if (part === '?') return '[^/]'
    if (part.startsWith('[') && part !== '[') return part.replaceAll(/\\|(?<!^)\[/g, '\\$&')
    return part.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')
  })
  try {
    return new RegExp(`^${source.join('')}$`)
  } catch {
    // Such as `[z-a]`.
    return /^$/
  }
}
