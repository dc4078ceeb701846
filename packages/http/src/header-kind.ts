/** What a header of this name is to the rules of a message. */
export type HeaderKind =
  | 'connection'
  | 'content-length'
  | 'expect'
  | 'forwarded'
  | 'forwarded-host'
  | 'forwarded-proto'
  | 'hop'
  | 'host'
  | 'pass'
  | 'transfer-encoding'
  | 'underscore'

const KINDS: Readonly<Record<string, HeaderKind>> = {
  host: 'host',
  connection: 'connection',
  'content-length': 'content-length',
  'transfer-encoding': 'transfer-encoding',
  expect: 'expect',
  'http2-settings': 'hop',
  'keep-alive': 'hop',
  'proxy-authenticate': 'hop',
  'proxy-authorization': 'hop',
  'proxy-connection': 'hop',
  te: 'hop',
  trailer: 'hop',
  upgrade: 'hop',
  forwarded: 'forwarded',
  'x-real-ip': 'forwarded',
  'x-forwarded-host': 'forwarded-host',
  'x-forwarded-proto': 'forwarded-proto',
}

/** Names differ little between requests: most are answered from here, without being lower-cased. */
const known = new Map<string, HeaderKind>()
const MAX_KNOWN = 1024

/** Says what a header is to the listener; the name in any case. */
export function headerKind(name: string): HeaderKind {
  let kind = known.get(name)
  if (kind === undefined) {
    kind = findKind(name.toLowerCase())
    if (known.size < MAX_KNOWN) known.set(name, kind)
  }
  return kind
}

function findKind(name: string): HeaderKind {
  if (Object.hasOwn(KINDS, name)) return KINDS[name]!
  // X_Forwarded_For and X-Forwarded-For are one variable in a WSGI environ.
  if (name.includes('_')) return 'underscore'
  return name.startsWith('x-forwarded-') ? 'forwarded' : 'pass'
}
