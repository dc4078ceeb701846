/** The module that each thread imports first; `.ts` from sources, `.js` from a build. */
export function threadModules(): string[] {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  return [new URL(`./thread-bootstrap.${extension}`, import.meta.url).href]
}
