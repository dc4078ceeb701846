import { relative } from 'node:path'
import type { Evidence, StaticFiles } from '@havn/model'
import type { BootedSettings } from './settings-report.ts'

/** Folders that the edge may serve, and why each is or is not among them. Pure. */
export function planStaticFiles(
  settings: BootedSettings,
  directory: string,
): { staticFiles: StaticFiles[]; evidence: Evidence[] } {
  const places = [
    { kind: 'static' as const, name: 'STATIC', ...settings.static },
    { kind: 'media' as const, name: 'MEDIA', ...settings.media },
  ]
  const staticFiles: StaticFiles[] = []
  const evidence: Evidence[] = []
  for (const { kind, name, url: written, root, isFileSystem } of places) {
    const isSet = written !== null && root !== null
    if (!isSet && kind === 'media') continue
    const url = written === null ? null : toPath(written)
    const refusal = whyNot({ name, url, written, root, isFileSystem, directory })
    if (refusal === null && url !== null && root !== null) staticFiles.push({ url, directory: root, kind })
    const because = refusal ?? `${name}_URL is ${written} and ${name}_ROOT is ${root}`
    evidence.push({ fact: 'staticFiles', because })
  }
  return { staticFiles, evidence }
}

function whyNot(place: {
  name: string
  url: string | null
  written: string | null
  root: string | null
  isFileSystem: boolean
  directory: string
}): string | null {
  const { name, url, written, root, isFileSystem, directory } = place
  if (root === null) return `${name}_ROOT is not set`
  if (!isFileSystem) return `${name} files lie at a service, not in ${name}_ROOT`
  if (url === null) return `${name}_URL is ${written ?? 'not set'}, which is not a path of this site`
  if (url === '/') return `${name}_URL is /, which is the whole site`
  // Source, settings and an SQLite file would be served with it.
  const isAbove = !relative(root, directory).startsWith('..')
  return isAbove ? `${name}_ROOT is ${root}, which holds the project itself` : null
}

/** `static/` and `/static` as `/static/`; null for another site's URL. */
function toPath(url: string): string | null {
  if (/^([a-z][a-z0-9+.-]*:)?\/\//i.test(url)) return null
  const path = url.replace(/^\/+|\/+$/g, '')
  return path === '' ? '/' : `/${path}/`
}
