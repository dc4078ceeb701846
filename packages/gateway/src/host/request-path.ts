import type { RequestTarget } from '@havn/http'

/** Percent-decoded bytes of a path, as latin-1: PEP 3333 "Unicode Issues"; ASGI hosts read them as UTF-8. */
export function decodePath(path: string): string {
  if (!path.includes('%')) return path
  return path.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
}

/** ASGI's `raw_path`: the path as it came, without the query; of an absolute-form target the path alone. */
export function rawPath(target: RequestTarget): string {
  const { rawTarget } = target
  if (!rawTarget.startsWith('/')) return target.path
  const at = rawTarget.indexOf('?')
  return at < 0 ? rawTarget : rawTarget.slice(0, at)
}
