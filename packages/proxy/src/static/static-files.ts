import type { IncomingMessage, ServerResponse } from 'node:http'
import { sendError } from '@havn/http'
import type { PlainExchange, RequestTarget } from '@havn/http'
import type { FileCacheConfig, StaticFiles } from '@havn/model'
import type { PluginLogger } from '@havn/plugin-api'
import { CachedFile } from './cached-file.ts'
import { evaluateConditions, isRangeCurrent } from './conditions.ts'
import { acceptedCodings, codingsKey } from './content-coding.ts'
import type { Coding } from './content-coding.ts'
import { FileCache } from './file-cache.ts'
import { isCompressible, mediaType } from './media-type.ts'
import { FolderFiles, isServable } from './open-file.ts'
import type { OpenFile } from './open-file.ts'
import { parseRanges } from './ranges.ts'
import { describeFile } from './representation.ts'
import type { Representation } from './representation.ts'
import { readWishes } from './request-wishes.ts'
import { layOutRanges, sendParts } from './send-file.ts'
import type { BodyPart } from './send-file.ts'

/** Serves files below URL prefixes. */
export interface StaticFileHandler {
  /** True when the path lies below a prefix; a missing file is then a 404, never the app's business. */
  owns(path: string): boolean
  /** Answers the request, or returns false, having touched nothing. */
  handle(request: IncomingMessage, response: ServerResponse, target: RequestTarget): boolean
  /** Answers a request of the plain lane from memory, or returns false, having touched nothing. */
  handlePlain(exchange: PlainExchange): boolean
}

interface Location {
  folder: StaticFiles
  /** The folder's own files, then those of its fallbacks. */
  layers: readonly FolderFiles[]
  relativePath: string
}

interface Place extends Location {
  type: string
  /** There may be compressed siblings. */
  mayVary: boolean
}

export interface StaticFilesOptions {
  folders: readonly StaticFiles[]
  cache: FileCacheConfig
  logger: PluginLogger
}

/** Makes a handler for these folders; they are looked at only when a request comes. */
export function createStaticFiles({ folders, cache: config, logger }: StaticFilesOptions): StaticFileHandler {
  const cache = new FileCache(config)
  const places = folders
    .map((folder) => ({
      folder,
      layers: [folder.directory, ...(folder.fallbacks ?? [])].map((directory) => new FolderFiles(directory)),
      prefix: decodePath(folder.url) ?? folder.url,
    }))
    .sort((one, other) => other.prefix.length - one.prefix.length)

  /** What {@link locate} was asked last: each request asks more than once. */
  let latest: { path: string; location: Location | null } = { path: '', location: null }

  function locate(path: string): Location | null {
    if (places.length === 0) return null
    if (latest.path !== path) latest = { path, location: search(path) }
    return latest.location
  }

  function search(path: string): Location | null {
    const decoded = decodePath(path)
    for (const { folder, layers, prefix } of places) {
      // A path that is not UTF-8 still belongs to the prefix that it begins with; no file has its name.
      if (decoded === null ? !path.startsWith(prefix) : !decoded.startsWith(prefix)) continue
      const relativePath = decoded === null ? '' : decoded.slice(prefix.length)
      return { folder, layers, relativePath }
    }
    return null
  }

  function find(path: string): Place | null {
    const location = locate(path)
    if (location === null) return null
    const type = mediaType(location.relativePath)
    const mayVary = location.folder.kind === 'static' && isCompressible(type)
    return { ...location, type, mayVary }
  }

  return {
    owns: (path) => locate(path) !== null,
    handle(request, response, target) {
      const place = find(target.path)
      if (place === null) return false
      response.on('error', ignore)
      serve({ request, response, place, cache, key: keyOf(target.path, place, acceptOf(request)) }).catch(
        (error: NodeJS.ErrnoException) => {
          const isOutOfFiles = error.code === 'EMFILE' || error.code === 'ENFILE'
          logger.error({ err: error, path: target.path }, 'A static file could not be served')
          sendError(response, isOutOfFiles ? 503 : 500, {
            headers: isOutOfFiles ? { 'retry-after': '1' } : {},
          })
        },
      )
      return true
    },
    handlePlain(exchange) {
      const { path, headers } = exchange.target
      const place = find(path)
      if (place === null) return false
      const { acceptEncoding, ifNoneMatch, isSpecial } = readWishes(headers)
      if (isSpecial) return false
      const file = cache.fresh(keyOf(path, place, acceptEncoding))
      if (file === null) return false
      const { validators } = file.representation
      if (ifNoneMatch !== '' && evaluateConditions({ 'if-none-match': ifNoneMatch }, validators) === 304)
        file.sendNotModifiedTo(exchange)
      else file.sendTo(exchange)
      return true
    },
  }
}

/** No coding has a space in its name: no path can pass for another key. */
function keyOf(path: string, { mayVary }: Place, acceptEncoding: string): string {
  return mayVary ? `${codingsKey(acceptEncoding)} ${path}` : ` ${path}`
}

function acceptOf(request: IncomingMessage): string {
  return request.headers['accept-encoding']?.toString() ?? ''
}

interface FileRequest {
  request: IncomingMessage
  response: ServerResponse
  place: Place
  cache: FileCache
  key: string
}

async function serve({ request, response, place, cache, key }: FileRequest): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    sendError(response, 405, { headers: { allow: 'GET, HEAD' } })
    return
  }
  const known = cache.freshOrMine(key)
  if (known !== null) return respond(request, response, known.representation, known.body)

  const found = await openVariant(place, acceptOf(request))
  if (found === null) {
    cache.drop(key)
    sendError(response, 404)
    return
  }
  try {
    const cached = cache.renew(key, found.file.state) ?? (await remember(cache, key, place, found))
    if (cached === null)
      await respond(request, response, describeFile({ ...place, ...found }), found.file.handle)
    else await respond(request, response, cached.representation, cached.body)
  } finally {
    await found.file.handle.close()
  }
}

interface FoundFile {
  file: OpenFile
  coding: Coding | null
}

/** The best file for the request: of the first folder that has it, the original or a compressed sibling. */
async function openVariant(place: Place, acceptEncoding: string): Promise<FoundFile | null> {
  const { layers, relativePath, mayVary } = place
  if (!isServable(relativePath)) return null
  for (const files of layers) {
    const original = await files.open(relativePath)
    if (original === null) continue
    if (!mayVary) return { file: original, coding: null }
    try {
      const sibling = await openSibling(files, original, acceptEncoding)
      if (sibling === null) return { file: original, coding: null }
      await original.handle.close()
      return sibling
    } catch (error) {
      await original.handle.close()
      throw error
    }
  }
  return null
}

/** The compressed sibling that the client likes best; one older than the original is a leftover. */
async function openSibling(
  files: FolderFiles,
  original: OpenFile,
  acceptEncoding: string,
): Promise<FoundFile | null> {
  for (const coding of acceptedCodings(acceptEncoding)) {
    const file = await files.openSibling(original, coding.suffix)
    if (file === null) continue
    if (file.modifiedAt >= original.modifiedAt) return { file, coding }
    await file.handle.close()
  }
  return null
}

/** Keeps a file that is small and lies still; null for any other. */
async function remember(
  cache: FileCache,
  key: string,
  place: Place,
  found: FoundFile,
): Promise<CachedFile | null> {
  cache.drop(key)
  const { file } = found
  const representation = describeFile({ ...place, ...found })
  if (!representation.isSettled || !cache.takes(file.size)) return null
  const freshUntil = cache.freshUntil()
  const body = await readWhole(file)
  if (body === null) return null
  const cached = new CachedFile(representation, body, file.state, freshUntil)
  cache.keep(key, cached)
  return cached
}

/** Null when the file is not as long as it was. */
async function readWhole({ handle, size }: OpenFile): Promise<Buffer | null> {
  // One byte more, to see that it has not grown.
  const buffer = Buffer.allocUnsafeSlow(size + 1)
  let position = 0
  while (position <= size) {
    const { bytesRead } = await handle.read(buffer, position, size + 1 - position, position)
    if (bytesRead === 0) break
    position += bytesRead
  }
  return position === size ? buffer.subarray(0, size) : null
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  { size, type, validators, headers }: Representation,
  content: OpenFile['handle'] | Buffer,
): Promise<void> {
  const condition = evaluateConditions(request.headers, validators)
  if (condition !== 200) {
    response.writeHead(condition, condition === 412 ? { ...headers, 'Content-Length': 0 } : headers).end()
    return
  }

  const { range, 'if-range': ifRange } = request.headers
  const ranges =
    range !== undefined && request.method === 'GET' && isRangeCurrent(ifRange?.toString(), validators)
      ? parseRanges(range, size)
      : 'all'
  if (ranges === 'none') {
    sendError(response, 416, { headers: { 'Content-Range': `bytes */${size}` } })
    return
  }

  let parts: BodyPart[] = size > 0 ? [{ start: 0, end: size - 1 }] : []
  if (ranges === 'all') {
    response.writeHead(200, { ...headers, 'Content-Type': type, 'Content-Length': size })
  } else if (ranges.length === 1) {
    const { start, end } = ranges[0]!
    parts = ranges
    response.writeHead(206, {
      ...headers,
      'Content-Type': type,
      'Content-Length': end - start + 1,
      'Content-Range': `bytes ${start}-${end}/${size}`,
    })
  } else {
    const multipart = layOutRanges(ranges, type, size)
    parts = multipart.parts
    response.writeHead(206, {
      ...headers,
      'Content-Type': `multipart/byteranges; boundary=${multipart.boundary}`,
      'Content-Length': multipart.length,
    })
  }
  if (request.method === 'HEAD') response.end()
  else await sendParts(response, content, parts)
}

/** Percent-decoded once, as UTF-8; null when it is not. */
function decodePath(path: string): string | null {
  if (!path.includes('%')) return path
  try {
    return decodeURIComponent(path)
  } catch {
    return null
  }
}

/** A client that is gone is no error; `close` tells. */
function ignore(): void {}
