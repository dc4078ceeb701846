/** Fields of which only the first counts: as node:http has it, a second one is no list. */
const SINGLE = new Set([
  'age',
  'authorization',
  'content-length',
  'content-type',
  'etag',
  'expires',
  'from',
  'host',
  'if-modified-since',
  'if-unmodified-since',
  'last-modified',
  'location',
  'max-forwards',
  'proxy-authorization',
  'referer',
  'retry-after',
  'server',
  'user-agent',
])

/** Names and values in turn as the object that node:http makes of them for `request.headers`. */
export function toHeaderObject(rawHeaders: readonly string[]): NodeJS.Dict<string | string[]> {
  const headers: NodeJS.Dict<string | string[]> = Object.create(null)
  for (let n = 0; n < rawHeaders.length; n += 2) {
    const name = rawHeaders[n]!.toLowerCase()
    const value = rawHeaders[n + 1]!
    const before = headers[name]
    if (name === 'set-cookie') headers[name] = before === undefined ? [value] : [...before, value]
    else if (before === undefined) headers[name] = value
    else if (!SINGLE.has(name))
      headers[name] = `${before as string}${name === 'cookie' ? '; ' : ', '}${value}`
  }
  return headers
}
