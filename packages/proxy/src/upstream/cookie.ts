import type { RequestTarget } from '@havn/http'

/** The first value of a cookie that the client sent, as it came; null without one. */
export function readCookie({ headers }: RequestTarget, name: string): string | null {
  for (let n = 0; n < headers.length; n += 2) {
    const field = headers[n]!
    if (field.length !== 6 || field.toLowerCase() !== 'cookie') continue
    for (const pair of headers[n + 1]!.split(';')) {
      const at = pair.indexOf('=')
      if (at > 0 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim()
    }
  }
  return null
}

/** A `Set-Cookie` of the edge's own: until the browser closes, for the whole site, out of reach for its scripts. */
export function formatCookie(name: string, value: string, { scheme }: RequestTarget): string {
  return `${name}=${value}; Path=/; HttpOnly; SameSite=Lax${scheme === 'https' ? '; Secure' : ''}`
}
