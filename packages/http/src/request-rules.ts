import type { IncomingMessage } from 'node:http'
import type { Connection } from './connection.ts'
import { nominatedHeaders } from './forwardable-headers.ts'
import { readForwarded } from './forwarded.ts'
import { headerKind } from './header-kind.ts'
import type { HeaderKind } from './header-kind.ts'
import { isHost } from './host.ts'
import { normaliseTarget } from './normalise-target.ts'
import type { PeerTrust } from './peer-trust.ts'
import { refusals } from './refusal.ts'
import type { Refusal } from './refusal.ts'
import { hasExtraSpaces } from './request-line.ts'
import type { RequestLimits } from './request-limits.ts'
import type { RequestTarget } from './request-target.ts'

/** Sizes beyond which a request is refused. */
export interface ListenerLimits {
  /** All of the head; 431. */
  maxHeaderBytes: number
  /** Header fields; 431. */
  maxHeaders: number
  /** 414. */
  maxTargetBytes: number
  /** By Content-Length; 413. Chunked bodies are counted by whoever reads them: `limitBody`. */
  maxBodyBytes: number
  /** What a client sends and takes at least, on average over `timeouts.stallMs`. Default 240. */
  minBytesPerS?: number
}

/** What the rules need to know of their listener. */
export interface RequestRules {
  limits: ListenerLimits
  scheme: 'http' | 'https'
  isTrusted: PeerTrust
  /** Limits of single requests, asked for once their target is known. */
  limitsOf: ((target: RequestTarget) => RequestLimits | null) | undefined
  onHeadersDropped: ((count: number) => void) | undefined
}

/** One pass over the headers. */
interface Head {
  hosts: number
  host: string
  connection: string
  transferEncoding: string | null
  contentLength: number
  /** X-Forwarded-Proto and X-Forwarded-Host of a trusted peer, the first of each; null where there is none. */
  forwardedProto: string | null
  forwardedHost: string | null
  /** Fields that may not go on: hop-by-hop, Expect, forwarded ones of an untrusted peer, and what is said twice. */
  drops: number
  underscores: number
  /** What the fields take in their plainest spelling. */
  bytes: number
}

/** Methods that llhttp accepts for protocols other than HTTP: HTTP/2's preface, ICE and RTSP. */
const FOREIGN_METHODS = new Set(
  'PRI SOURCE DESCRIBE ANNOUNCE SETUP PLAY PAUSE TEARDOWN GET_PARAMETER SET_PARAMETER REDIRECT RECORD FLUSH'.split(
    ' ',
  ),
)

/** A request's head, as a parser read it. */
export interface RequestHead {
  method: string
  rawTarget: string
  /** As the request line has it: `1.0`, `1.1`, …; `2.0` for HTTP/2. */
  httpVersion: string
  /** Names and values in turn. */
  rawHeaders: readonly string[]
  /** What node:http read it into; null where the parser leaves no doubt about its request line. */
  request: IncomingMessage | null
}

/** Applies the listener's rules to a request that node:http has read. */
export function readRequest(
  request: IncomingMessage,
  connection: Connection,
  rules: RequestRules,
): RequestTarget | Refusal {
  const { method, url, httpVersion, rawHeaders } = request
  const head = { method: method!, rawTarget: url!, httpVersion, rawHeaders, request }
  return applyRules(head, connection, rules)
}

/** Applies the listener's rules to the head of an HTTP/1 request. */
export function applyRules(
  head: RequestHead,
  connection: Connection,
  rules: RequestRules,
): RequestTarget | Refusal {
  const { httpVersion } = head
  if (httpVersion === '1.1' || httpVersion === '1.0') return judgeHead(head, connection, rules)
  return Number(httpVersion[0]) >= 2 ? refusals.unsupportedVersion : refusals.badVersion
}

/**
 * Applies the rules that hold for a request's head in every version; costs a few scans of short strings for a plain one.
 */
export function judgeHead(
  { method, rawTarget, httpVersion, rawHeaders, request }: RequestHead,
  connection: Connection,
  rules: RequestRules,
): RequestTarget | Refusal {
  const isOld = httpVersion === '1.0'
  if (FOREIGN_METHODS.has(method)) return refusals.badMethod
  const { limits, limitsOf } = rules
  if (limitsOf === undefined && rawTarget.length > limits.maxTargetBytes) return refusals.targetTooLong
  if (rawHeaders.length > limits.maxHeaders * 2) return refusals.headersTooMany

  const head = readHead(rawHeaders, connection.trusted)
  if (request !== null && hasExtraSpaces(request, connection, head.bytes)) return refusals.malformed
  if (head.transferEncoding !== null) {
    const refusal = checkTransferEncoding(head.transferEncoding, isOld)
    if (refusal) return refusal
  }
  if (limitsOf === undefined && head.contentLength > limits.maxBodyBytes) return refusals.bodyTooLarge
  if (head.hosts === 0 ? !isOld : head.hosts > 1 || !isHost(head.host)) return refusals.badHost

  const target = normaliseTarget(rawTarget)
  if (target === null) return refusals.badTarget
  if (target.path === '*' && method !== 'OPTIONS') return refusals.badTarget
  if (target.authority !== null && !isHost(target.authority)) return refusals.badTarget

  const client = connection.trusted ? readForwarded(rawHeaders, connection, rules.isTrusted) : null
  const host = client?.host ?? target.authority ?? head.host
  const scheme = client?.scheme ?? rules.scheme
  const isAsReceived = head.drops === 0 && head.underscores === 0 && host === head.host
  if (head.underscores > 0) rules.onHeadersDropped?.(head.underscores)
  const asked: RequestTarget = {
    method,
    path: target.path,
    query: target.query,
    rawTarget,
    host,
    scheme,
    httpVersion,
    clientAddress: client ? client.address : connection.address,
    clientPort: client ? client.port : connection.port,
    serverAddress: connection.serverAddress,
    serverPort: connection.serverPort,
    headers:
      isAsReceived && (client === null || isToldOnce(head, scheme, host))
        ? rawHeaders
        : cleanHeaders({ rawHeaders, head, host, scheme, trusted: connection.trusted }),
    maxBodyBytes: limits.maxBodyBytes,
    limits: null,
  }
  if (limitsOf === undefined) return asked
  const own = limitsOf(asked)
  asked.limits = own
  if (own?.maxBodyBytes !== undefined) asked.maxBodyBytes = own.maxBodyBytes
  if (rawTarget.length > (own?.maxTargetBytes ?? limits.maxTargetBytes)) return refusals.targetTooLong
  if (head.contentLength > (own?.maxBodyBytes ?? limits.maxBodyBytes)) return refusals.bodyTooLarge
  return asked
}

/** What a request asks for, as it came: for the records of one that the rules do not let through. */
export function targetAsReceived(
  { method, url, httpVersion, rawHeaders, headers }: IncomingMessage,
  connection: Connection,
  { scheme }: RequestRules,
): RequestTarget {
  const [path, ...query] = url!.split('?')
  return {
    method: method!,
    path: path!,
    query: query.join('?'),
    rawTarget: url!,
    host: headers.host ?? '',
    scheme,
    httpVersion,
    clientAddress: connection.address,
    clientPort: connection.port,
    serverAddress: connection.serverAddress,
    serverPort: connection.serverPort,
    headers: rawHeaders,
  }
}

function readHead(rawHeaders: readonly string[], trusted: boolean): Head {
  const head: Head = {
    hosts: 0,
    host: '',
    connection: '',
    transferEncoding: null,
    contentLength: 0,
    forwardedProto: null,
    forwardedHost: null,
    drops: 0,
    underscores: 0,
    bytes: rawHeaders.length * 2,
  }
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!
    const value = rawHeaders[index + 1]!
    head.bytes += name.length + value.length
    const kind = headerKind(name)
    if (kind === 'pass') continue
    if (kind === 'host') {
      head.hosts++
      head.host = value
    } else if (kind === 'content-length') {
      head.contentLength = Number(value)
    } else if (kind === 'underscore') {
      head.underscores++
    } else if (trusted && isForwarded(kind)) {
      if (kind === 'forwarded') continue
      const field = kind === 'forwarded-proto' ? 'forwardedProto' : 'forwardedHost'
      if (head[field] === null) head[field] = value
      else head.drops++
    } else {
      head.drops++
      if (kind === 'connection') head.connection += (head.connection && ',') + value
      else if (kind === 'transfer-encoding') {
        head.transferEncoding = head.transferEncoding === null ? value : `${head.transferEncoding},${value}`
      }
    }
  }
  return head
}

function isForwarded(kind: HeaderKind): boolean {
  return kind === 'forwarded' || kind === 'forwarded-proto' || kind === 'forwarded-host'
}

/** What a trusted peer said of scheme and host is no more than what was found in it. */
function isToldOnce({ forwardedProto, forwardedHost }: Head, scheme: string, host: string): boolean {
  return (
    (forwardedProto === null || forwardedProto === scheme) &&
    (forwardedHost === null || forwardedHost === host)
  )
}

/** RFC 9112 §6.1: chunked once and last; a coding that is not known here is 501. */
function checkTransferEncoding(value: string, isOld: boolean): Refusal | null {
  if (isOld) return refusals.badTransferEncoding
  const codings = value.split(',').map((coding) => coding.trim().toLowerCase())
  if (codings.indexOf('chunked') !== codings.length - 1) return refusals.badTransferEncoding
  return codings.length > 1 ? refusals.unknownTransferCoding : null
}

interface CleaningInput {
  rawHeaders: readonly string[]
  head: Head
  host: string
  scheme: string
  trusted: boolean
}

/**
 * The headers less what the rules drop; Host says what the request is for (RFC 9112 §3.2.2). X-Forwarded-Proto and
 * X-Forwarded-Host say what the rules found in them: of a list, apps read the first word, which may be the client's.
 */
function cleanHeaders({ rawHeaders, head, host, scheme, trusted }: CleaningInput): string[] {
  const nominated = nominatedHeaders(head.connection)
  const kept: string[] = []
  let isSchemeTold = false
  let isHostTold = false
  if (head.hosts === 0 && host !== '') kept.push('Host', host)
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!
    const kind = headerKind(name)
    if (kind === 'host') kept.push(name, host)
    else if (kind === 'content-length') kept.push(name, rawHeaders[index + 1]!)
    else if (kind === 'pass') {
      if (!nominated?.has(name.toLowerCase())) kept.push(name, rawHeaders[index + 1]!)
    } else if (!trusted) continue
    else if (kind === 'forwarded') kept.push(name, rawHeaders[index + 1]!)
    else if (kind === 'forwarded-proto' && !isSchemeTold) {
      isSchemeTold = true
      kept.push(name, scheme)
    } else if (kind === 'forwarded-host' && !isHostTold) {
      isHostTold = true
      kept.push(name, host)
    }
  }
  return kept
}
