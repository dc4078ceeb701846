/** What stands in a log in place of a secret. */
export const REDACTED = '[redacted]'

/** How deep objects are looked through; what lies deeper is left out of the log. */
const MAX_DEPTH = 6

const SECRET_KEY =
  /^(?:proxy-?)?authorization$|^(?:set-?)?cookies?$|pass(?:word|wd|phrase)|secret|token$|api-?key|private-?key|access-?key|credentials?$|^session-?(?:id|key)$/

const known = new Map<string, boolean>()

/**
 * Replaces the values of keys that hold secrets (authorization, cookie, set-cookie, password, token, apiKey and
 * their like), at any depth. Returns the object itself when there is nothing to hide; never changes it.
 */
export function redact(fields: Record<string, unknown>): Record<string, unknown> {
  return redactObject(fields, 0)
}

function redactObject(fields: Record<string, unknown>, depth: number): Record<string, unknown> {
  let copy: Record<string, unknown> | undefined
  for (const key in fields) {
    const value = fields[key]
    const shown = redactValue(key, value, depth)
    if (shown !== value) (copy ??= { ...fields })[key] = shown
  }
  return copy ?? fields
}

function redactValue(key: string, value: unknown, depth: number): unknown {
  const type = typeof value
  if (type === 'string') return isSecretKey(key) ? REDACTED : value
  if (type !== 'object' || value === null) return value
  if (isSecretKey(key)) return REDACTED
  if (Array.isArray(value)) return redactArray(value, depth + 1)
  // Class instances (errors, dates, buffers) have their own way into a log.
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return value
  if (depth + 1 >= MAX_DEPTH) return '[deep]'
  return redactObject(value as Record<string, unknown>, depth + 1)
}

function redactArray(items: unknown[], depth: number): unknown[] {
  if (depth >= MAX_DEPTH) return ['[deep]']
  const shown = items.map((item) => redactValue('', item, depth))
  return shown.some((item, index) => item !== items[index]) ? shown : items
}

function isSecretKey(key: string): boolean {
  let secret = known.get(key)
  if (secret === undefined) {
    // apiKey, API_KEY and api-key are one: words are parted by hyphens before the test.
    const words = key
      .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
      .replaceAll('_', '-')
      .toLowerCase()
    secret = SECRET_KEY.test(words)
    // Keys come from code and are few; a map of foreign keys must not grow without end.
    if (known.size < 1000) known.set(key, secret)
  }
  return secret
}
