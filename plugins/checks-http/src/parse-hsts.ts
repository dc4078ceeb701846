/** What Strict-Transport-Security says (RFC 6797 §6.1). */
export interface Hsts {
  maxAgeS: number
  includesSubDomains: boolean
}

/** Null for what browsers pass over: no max-age, or a directive that comes twice. */
export function parseHsts(text: string): Hsts | null {
  const directives = new Map<string, string>()
  for (const part of text.split(';')) {
    if (part.trim() === '') continue
    const [name = '', value = ''] = part.split('=').map((each) => each.trim())
    if (directives.has(name.toLowerCase())) return null
    directives.set(name.toLowerCase(), value.replaceAll(/^"|"$/g, ''))
  }
  const maxAge = directives.get('max-age')
  if (maxAge === undefined || !/^\d{1,12}$/.test(maxAge)) return null
  return { maxAgeS: Number(maxAge), includesSubDomains: directives.has('includesubdomains') }
}
