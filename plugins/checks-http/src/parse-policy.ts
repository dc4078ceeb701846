/** The directives of a Content-Security-Policy, in lower case; the first of a name counts (CSP3 §2.2.1). */
export function parsePolicy(text: string): ReadonlyMap<string, readonly string[]> {
  const directives = new Map<string, string[]>()
  for (const part of text.split(';')) {
    const [name = '', ...values] = part.trim().split(/\s+/)
    if (name !== '' && !directives.has(name.toLowerCase())) directives.set(name.toLowerCase(), values)
  }
  return directives
}

/** What scripts may be, as a browser of today reads it; null where the policy says nothing of them. */
export function scriptSources(policy: ReadonlyMap<string, readonly string[]>): readonly string[] | null {
  return policy.get('script-src') ?? policy.get('default-src') ?? null
}

/** What lets in scripts that the site did not write; null where nothing does. */
export function weaknessOf(sources: readonly string[]): string | null {
  const all = sources.map((source) => source.toLowerCase())
  const hasNonce = all.some((source) => /^'(?:nonce-|sha(?:256|384|512)-)/.test(source))
  // With a nonce or a hash browsers pass over 'unsafe-inline', which is there for old ones (CSP3 §6.7.3.2).
  if (all.includes("'unsafe-inline'") && !hasNonce) return "'unsafe-inline'"
  if (all.includes("'unsafe-eval'")) return "'unsafe-eval'"
  if (all.includes("'strict-dynamic'") && hasNonce) return null
  return all.find((source) => ['*', 'http:', 'https:', 'data:'].includes(source)) ?? null
}
