import type { IncomingMessage, ServerResponse } from 'node:http'
import { isGrpcType } from '@havn/http'
import type { Compression } from '@havn/model'
import type { BodyCodec } from '../response/response-filter.ts'
import { filterResponse } from '../response/response-filter.ts'
import { acceptedCodings } from '../static/content-coding.ts'
import { isCompressible } from '../static/media-type.ts'
import { createCodec } from './codec.ts'

/** A digest of the body as it is would not fit it any more. */
const DIGESTS = ['content-digest', 'content-md5', 'digest']

/** Compresses responses where the client, the response and the configuration allow it. */
export class Compressor {
  readonly #config: Compression
  readonly #types: ReadonlySet<string> | null
  #running = 0

  constructor(config: Compression) {
    this.#config = config
    this.#types = config.types ? new Set(config.types) : null
  }

  /** To be called before anything is written. */
  attach(request: IncomingMessage, response: ServerResponse): void {
    filterResponse(response, (status) => this.#onHead(request, response, status))
  }

  #onHead(request: IncomingMessage, response: ServerResponse, status: number): BodyCodec | null {
    if (status === 304) weakenAsAsked(request, response)
    if (!this.#isEligible(response, status)) return null
    varyByCoding(response)
    const coding = acceptedCodings(request.headers['accept-encoding']?.toString()).find(({ name }) =>
      this.#config.encodings.includes(name),
    )
    if (coding === undefined || this.#running >= this.#config.maxConcurrent) return null

    const bytes = lengthOf(response)
    response.setHeader('Content-Encoding', coding.name)
    response.removeHeader('Content-Length')
    if (response.hasHeader('accept-ranges')) response.removeHeader('Accept-Ranges')
    const etag = response.getHeader('etag')
    if (typeof etag === 'string' && !etag.startsWith('W/')) response.setHeader('ETag', `W/${etag}`)
    if (request.method === 'HEAD') return null

    this.#running++
    const codec = createCodec(coding.name, this.#config.levels, bytes)
    codec.stream.once('close', () => this.#running--)
    return codec
  }

  #isEligible(response: ServerResponse, status: number): boolean {
    if (status === 204 || status === 205 || status === 206 || status === 304) return false
    if (response.hasHeader('content-encoding') || response.hasHeader('content-range')) return false
    if (DIGESTS.some((name) => response.hasHeader(name))) return false
    if (/\bno-transform\b/i.test(String(response.getHeader('cache-control') ?? ''))) return false
    const [type = ''] = String(response.getHeader('content-type') ?? '').split(';')
    const name = type.trim().toLowerCase()
    // Messages of gRPC have a coding of their own.
    if (name === '' || isGrpcType(name) || !(this.#types?.has(name) ?? isCompressible(name))) return false
    const { minBytes, maxBytes = Infinity } = this.#config
    const bytes = lengthOf(response)
    return bytes === null || (bytes >= minBytes && bytes <= maxBytes)
  }
}

function lengthOf(response: ServerResponse): number | null {
  const value = response.getHeader('content-length')
  return value === undefined ? null : Number(value)
}

function varyByCoding(response: ServerResponse): void {
  const value = response.getHeader('vary')
  const names = value === undefined ? [] : [value].flat().map(String)
  if (names.some((list) => /(?:^|,)\s*(?:\*|accept-encoding)\s*(?:,|$)/i.test(list))) return
  response.setHeader('Vary', [...names, 'Accept-Encoding'].join(', '))
}

/** The client knows the compressed representation by its weak tag. */
function weakenAsAsked(request: IncomingMessage, response: ServerResponse): void {
  const etag = response.getHeader('etag')
  if (typeof etag !== 'string' || etag.startsWith('W/')) return
  if (request.headers['if-none-match']?.includes(`W/${etag}`)) response.setHeader('ETag', `W/${etag}`)
}
