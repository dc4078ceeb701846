import type { HttpScope } from '../asgi/scope.ts'
import { fromLatin1, stripRoot } from '../http/path.ts'
import { createInputStream } from '../wsgi/byte-input.ts'
import type { Environ, InputStream } from '../wsgi/types.ts'
import { parseCookies } from './cookies.ts'
import { joinPath, pathInfoOf, scriptNameOf } from './script-prefix.ts'
import type { HandlerRequest } from './types.ts'

/** The request of an environ. `forceScriptName` overrides what the server says. */
export function requestOfEnviron(environ: Environ, forceScriptName: string | undefined): HandlerRequest {
  const scriptName = forceScriptName ?? scriptNameOf(environ)
  const pathInfo = pathInfoOf(environ)
  const length = /^\d+$/.test(environ.CONTENT_LENGTH ?? '') ? Number(environ.CONTENT_LENGTH) : 0
  return {
    method: environ.REQUEST_METHOD.toUpperCase(),
    path: joinPath(scriptName, pathInfo),
    pathInfo,
    scriptName,
    scheme: environ['wsgi.url_scheme'],
    queryString: environ.QUERY_STRING ?? '',
    meta: environ,
    cookies: cookiesOf(environ),
    body: limited(environ['wsgi.input'], length),
  }
}

/** The request of a scope whose body was read; `meta` is its environ. */
export function requestOfScope(
  scope: HttpScope,
  meta: Environ,
  signal: AbortSignal,
  forceScriptName: string | undefined,
): HandlerRequest {
  const scriptName = forceScriptName ?? scope.root_path ?? ''
  return {
    method: scope.method.toUpperCase(),
    path: scope.path,
    pathInfo: (stripRoot(scope.path, scriptName.replace(/\/$/, '')) ?? scope.path) || '/',
    scriptName,
    scheme: scope.scheme ?? 'http',
    queryString: meta.QUERY_STRING,
    meta,
    cookies: cookiesOf(meta),
    body: meta['wsgi.input'],
    signal,
    scope,
  }
}

function cookiesOf(meta: Environ): Map<string, string> {
  return parseCookies(typeof meta.HTTP_COOKIE === 'string' ? fromLatin1(meta.HTTP_COOKIE) : '')
}

/** A server may leave its socket's later bytes behind the body: an app never reads past Content-Length. */
function limited(input: InputStream, length: number): InputStream {
  if (length === 0) return createInputStream()
  let left = length
  const take = <Part extends Uint8Array>(part: Part): Part => {
    left -= part.byteLength
    return part
  }
  const size = (wanted: number | undefined): number =>
    wanted === undefined || wanted < 0 ? left : Math.min(wanted, left)
  const stream: InputStream = {
    read: (wanted) => (left === 0 ? new Uint8Array() : take(input.read(size(wanted)))),
    readline: (wanted) => (left === 0 ? new Uint8Array() : take(input.readline(size(wanted)))),
    readlines: (hint = 0) => {
      const lines: Uint8Array[] = []
      let bytes = 0
      for (const line of stream) {
        lines.push(line)
        bytes += line.byteLength
        if (hint > 0 && bytes >= hint) break
      }
      return lines
    },
    *[Symbol.iterator]() {
      for (let line = stream.readline(); line.byteLength > 0; line = stream.readline()) yield line
    },
  }
  return stream
}
