import { describe, ProtocolError } from '../errors.ts'

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
/** RFC 6265 §4.1.1 cookie-octet. */
const octets = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*$/
// A quoted string's escapes, as Python's http.cookies has them: \ooo and \c.
const escapes = /\\([0-3][0-7][0-7]|.)/gs

/** A cookie to set (RFC 6265 §4.1). */
export interface Cookie {
  name: string
  /** As it stands in the header: encode what is not a cookie-octet. */
  value: string
  path?: string
  domain?: string
  /** Seconds. */
  maxAge?: number
  expires?: Date
  secure?: boolean
  httpOnly?: boolean
  sameSite?: 'Strict' | 'Lax' | 'None'
  partitioned?: boolean
}

/**
 * The cookies of a Cookie header, as browsers send and Django reads them: parts between semicolons, whitespace
 * around them left out, a part without `=` is the value of the cookie without a name, quoted values unquoted.
 * The last of a name wins.
 */
export function parseCookies(header: string): Map<string, string> {
  const cookies = new Map<string, string>()
  for (const part of header.split(';')) {
    const equals = part.indexOf('=')
    const name = equals === -1 ? '' : part.slice(0, equals).trim()
    const value = part.slice(equals + 1).trim()
    if (name !== '' || value !== '') cookies.set(name, unquote(value))
  }
  return cookies
}

/** The value of a Set-Cookie header. Throws `HAVN_ERR_HANDLER_COOKIE` for what would not arrive as it was meant. */
export function formatCookie(cookie: Cookie): string {
  const { name, value, path, domain, maxAge, expires } = cookie
  if (!token.test(name)) throw new ProtocolError('HAVN_ERR_HANDLER_COOKIE', `name: ${describe(name)}`)
  if (!octets.test(value)) throw new ProtocolError('HAVN_ERR_HANDLER_COOKIE', `${name}: ${describe(value)}`)
  let text = `${name}=${value}`
  if (expires !== undefined) text += `; Expires=${expires.toUTCString()}`
  if (maxAge !== undefined) text += `; Max-Age=${Math.trunc(maxAge)}`
  if (domain !== undefined) text += `; Domain=${ensureAttribute(domain)}`
  if (path !== undefined) text += `; Path=${ensureAttribute(path)}`
  if (cookie.secure) text += '; Secure'
  if (cookie.httpOnly) text += '; HttpOnly'
  if (cookie.sameSite !== undefined) text += `; SameSite=${cookie.sameSite}`
  if (cookie.partitioned) text += '; Partitioned'
  return text
}

function ensureAttribute(value: string): string {
  if (/^[\x20-\x3a\x3c-\x7e]*$/.test(value)) return value
  throw new ProtocolError('HAVN_ERR_HANDLER_COOKIE', describe(value))
}

function unquote(value: string): string {
  if (value.length < 2 || !value.startsWith('"') || !value.endsWith('"')) return value
  return value
    .slice(1, -1)
    .replace(escapes, (_, escape: string) =>
      escape.length === 3 ? String.fromCharCode(Number.parseInt(escape, 8)) : escape,
    )
}
