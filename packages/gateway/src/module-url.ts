/**
 * The URL of a module that is loaded by URL, in another process or thread. Runs from sources and from a build:
 * the extension is that of the module that asks.
 *
 * @param from `import.meta.url`.
 * @param path relative, without its extension: `../thread/main`.
 */
export function moduleUrl(from: string, path: string): URL {
  return new URL(path + (from.endsWith('.ts') ? '.ts' : '.js'), from)
}
