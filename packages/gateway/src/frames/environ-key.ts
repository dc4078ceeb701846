/** Names beyond this many are not remembered: clients may send any. */
const maxCached = 1024

const cache = new Map<string, string>()

/**
 * The `environ` key of a header name (PEP 3333, section "environ Variables"): `HTTP_X_Y`, or `CONTENT_TYPE` and
 * `CONTENT_LENGTH`. Remembered by the name as it is written, since clients write few.
 */
export function environKey(name: string): string {
  const known = cache.get(name)
  if (known !== undefined) return known
  const upper = name.toUpperCase().replaceAll('-', '_')
  const key = upper === 'CONTENT_TYPE' || upper === 'CONTENT_LENGTH' ? upper : `HTTP_${upper}`
  if (cache.size < maxCached) cache.set(name, key)
  return key
}
