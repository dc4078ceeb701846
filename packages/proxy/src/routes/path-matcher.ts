/**
 * Tells whether a normalised path is a route's: `/api` is the path itself and all below it, a path that ends with a
 * slash only what is below it.
 */
export function pathMatcher(prefix: string, exact: boolean): (path: string) => boolean {
  if (exact) return (path) => path === prefix
  if (prefix === '/') return () => true
  if (prefix.endsWith('/')) return (path) => path.startsWith(prefix)
  const below = prefix + '/'
  return (path) => path.startsWith(below) || path === prefix
}

/** The path with the route's prefix replaced; always one that begins with a single slash. */
export function rewritePath(path: string, prefix: string, replacement: string): string {
  const rest = path.slice(prefix.length)
  const joined =
    replacement.endsWith('/') || rest.startsWith('/') || rest === ''
      ? replacement + rest
      : `${replacement}/${rest}`
  // Two slashes in front would be read as an authority somewhere.
  return joined.replace(/^\/{2,}/, '/') || '/'
}
