import type { RequestTarget } from '@havn/http'
import type { ResponseTap } from '../response/response-tap.ts'
import { fieldOf } from './header-list.ts'

/** Methods that change nothing (RFC 9110 §9.2.1). */
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])

export function isSafe(method: string): boolean {
  return SAFE.has(method)
}

/**
 * The targets that an unsafe request makes invalid, once its response has come (RFC 9111 §4.4): its own, and what
 * Location and Content-Location name at the same scheme and host. None when it failed.
 */
export function invalidatedBy(
  target: RequestTarget,
  status: number,
  headers: readonly string[],
): RequestTarget[] {
  if (status < 200 || status >= 400) return []
  const own: RequestTarget = { ...target, method: 'GET' }
  const named = ['location', 'content-location'].flatMap((name) => {
    const location = fieldOf(headers, name)
    const found = location === null ? null : resolve(own, location)
    return found === null ? [] : [found]
  })
  return [own, ...named]
}

function resolve(target: RequestTarget, location: string): RequestTarget | null {
  const base = `${target.scheme}://${target.host}${target.path}`
  if (!URL.canParse(location, base)) return null
  const [url, origin] = [new URL(location, base), new URL(base)]
  if (url.origin !== origin.origin) return null
  return { ...target, path: url.pathname, query: url.search.slice(1) }
}

/** Sees the response to an unsafe request. */
export class InvalidationTap implements ResponseTap {
  readonly takesAll = false
  readonly isAwaited = false
  readonly #target: RequestTarget
  readonly #invalidate: (target: RequestTarget) => void

  constructor(target: RequestTarget, invalidate: (target: RequestTarget) => void) {
    this.#target = target
    this.#invalidate = invalidate
  }

  onHead(status: number, _reason: string, headers: readonly string[]): void {
    for (const one of invalidatedBy(this.#target, status, headers)) this.#invalidate(one)
  }

  onChunk(): void {}

  onEnd(): void {}

  onAbort(): void {}
}
