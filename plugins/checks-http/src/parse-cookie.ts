/** What a `Set-Cookie` says (RFC 6265 §5.2); its value is left out. */
export interface Cookie {
  name: string
  isSecure: boolean
  isHttpOnly: boolean
  /** In lower case; null without one. */
  sameSite: string | null
  path: string | null
  domain: string | null
}

export function parseCookie(text: string): Cookie {
  const [pair = '', ...attributes] = text.split(';')
  const found = new Map<string, string>()
  for (const attribute of attributes) {
    const [name = '', ...value] = attribute.split('=')
    found.set(name.trim().toLowerCase(), value.join('=').trim())
  }
  return {
    name: pair.split('=')[0]!.trim(),
    isSecure: found.has('secure'),
    isHttpOnly: found.has('httponly'),
    sameSite: found.get('samesite')?.toLowerCase() ?? null,
    path: found.get('path') ?? null,
    domain: found.get('domain')?.replace(/^\./, '') || null,
  }
}

/** Whoever has it is somebody. */
export function isSession({ name }: Cookie): boolean {
  return /sess|sid$|^sid|auth|token|jwt|remember|login/i.test(name) && !isCsrf(name)
}

/** Scripts read these, and send them back: that is how they work. */
export function isCsrf(name: string): boolean {
  return /csrf|xsrf/i.test(name)
}
