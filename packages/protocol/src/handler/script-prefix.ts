import { AsyncLocalStorage } from 'node:async_hooks'
import { fromLatin1 } from '../http/path.ts'
import type { Environ } from '../wsgi/types.ts'

const prefixes = new AsyncLocalStorage<string>()

/** One valid UTF-8 sequence, each byte as its code point, or (captured) a byte that is part of none. */
const utf8Sequence =
  /[\x00-\x7f]|[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}|([\x80-\xff])/g

/** The script prefix of the request that is being handled, with a slash at its end: what URLs are built upon. */
export function getScriptPrefix(): string {
  return prefixes.getStore() ?? '/'
}

/** Runs a function, and all that it starts, with a script prefix. */
export function withScriptPrefix<Value>(scriptName: string, run: () => Value): Value {
  return prefixes.run(scriptName.endsWith('/') ? scriptName : `${scriptName}/`, run)
}

/**
 * SCRIPT_NAME as text. Where the web server in front has rewritten the URL (Apache's mod_rewrite sets SCRIPT_URL or
 * REDIRECT_URL), it is what the client asked for, less PATH_INFO.
 */
export function scriptNameOf(environ: Environ): string {
  const asked = stringOf(environ.SCRIPT_URL) || stringOf(environ.REDIRECT_URL)
  if (asked === '') return fromLatin1(environ.SCRIPT_NAME ?? '')
  // mod_wsgi joins repeated slashes in PATH_INFO.
  const joined = asked.replace(/\/{2,}/g, '/')
  const pathInfo = environ.PATH_INFO ?? ''
  const isSuffix = pathInfo !== '' && joined.endsWith(pathInfo)
  return fromLatin1(isSuffix ? joined.slice(0, -pathInfo.length) : joined)
}

/** PATH_INFO as text: `/` where it is empty; bytes that are no UTF-8 are percent-encoded again. */
export function pathInfoOf(environ: Environ): string {
  const native = environ.PATH_INFO || '/'
  return fromLatin1(
    native.replace(utf8Sequence, (sequence, broken?: string) => (broken ? percent(broken) : sequence)),
  )
}

/** Script name and path info to the whole path; only the first slash of the path info is the one between them. */
export function joinPath(scriptName: string, pathInfo: string): string {
  return `${scriptName.replace(/\/+$/, '')}/${pathInfo.replace('/', '')}`
}

function percent(byte: string): string {
  return `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
}

function stringOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
