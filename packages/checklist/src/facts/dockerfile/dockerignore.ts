/** Says what a `.dockerignore` leaves out of the build's context. */
export interface DockerIgnore {
  /** Relative to the tree's root. */
  file: string
  /** @param path relative to the context, with slashes. */
  ignores(path: string): boolean
}

/**
 * Reads a `.dockerignore` (https://docs.docker.com/build/concepts/context/#dockerignore-files): one pattern a line, the
 * last one that matches a path or a folder above it decides, `!` takes back in.
 */
export function parseDockerIgnore(file: string, text: string): DockerIgnore {
  const rules = text.split(/\r?\n/).flatMap((line) => {
    const pattern = line.trim()
    if (pattern === '' || line.startsWith('#')) return []
    const isBack = pattern.startsWith('!')
    const path = (isBack ? pattern.slice(1).trim() : pattern).replace(/^(?:\.?\/)+|\/+$/g, '')
    return path === '' ? [] : [{ isBack, matches: toRegExp(path) }]
  })
  return {
    file,
    ignores(path) {
      const last = rules.findLast(({ matches }) => matches.test(path))
      return last !== undefined && !last.isBack
    },
  }
}

/** Of a path, or of anything below it. */
function toRegExp(pattern: string): RegExp {
  const body = pattern.replaceAll(/\*\*\/?|[*?]|\[\^?[^\]]+\]|[^]/g, (part) => {
    if (part === '**/') return '(?:.*/)?'
    if (part === '**') return '.*'
    if (part === '*') return '[^/]*'
    if (part === '?') return '[^/]'
    if (part.length > 1) return `[${part.slice(1, -1).replaceAll('\\', '\\\\').replaceAll('[', '\\[')}]`
    return part.replace(/[\\^$.*+?()[\]{}|/]/, '\\$&')
  })
  try {
    return new RegExp(`^(?:${body})(?:/.*)?$`)
  } catch {
    // Such as a range that runs backwards: Docker refuses the file, so nothing is left out by it.
    return /(?!)/
  }
}
