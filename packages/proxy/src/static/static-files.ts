import type { IncomingMessage, ServerResponse } from 'node:http'
import { basename } from 'node:path'
import { sendError } from '@havn/http'
import type { RequestTarget } from '@havn/http'
import type { StaticFiles } from '@havn/model'
import type { PluginLogger } from '@havn/plugin-api'
import { cacheControl } from './cache-policy.ts'
import { evaluateConditions, isRangeCurrent } from './conditions.ts'
import type { Validators } from './conditions.ts'
import { acceptedCodings } from './content-coding.ts'
import type { Coding } from './content-coding.ts'
import { isActive, isCompressible, mediaType } from './media-type.ts'
import { FolderFiles, isServable } from './open-file.ts'
import type { OpenFile } from './open-file.ts'
import { parseRanges } from './ranges.ts'
import { layOutRanges, sendParts } from './send-file.ts'
import type { BodyPart } from './send-file.ts'

/** Uploads are data: opened by themselves they load nothing, run nothing and share nothing with the site. */
const UNTRUSTED = {
  'content-disposition': 'attachment',
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox",
}
/** A file that changed this recently may change again within its timestamp's grain: its ETag is weak. */
const SETTLED_MS = 2_000

/** Serves files below URL prefixes. */
export interface StaticFileHandler {
  /** True when the path lies below a prefix; a missing file is then a 404, never the app's business. */
  owns(path: string): boolean
  /** Answers the request, or returns false, having touched nothing. */
  handle(request: IncomingMessage, response: ServerResponse, target: RequestTarget): boolean
}

interface Place {
  folder: StaticFiles
  /** The folder's own files, then those of its fallbacks. */
  layers: readonly FolderFiles[]
  relativePath: string
}

/** Makes a handler for these folders; they are looked at only when a request comes. */
export function createStaticFiles(folders: readonly StaticFiles[], logger: PluginLogger): StaticFileHandler {
  const places = folders
    .map((folder) => ({
      folder,
      layers: [folder.directory, ...(folder.fallbacks ?? [])].map((directory) => new FolderFiles(directory)),
      prefix: decodePath(folder.url) ?? folder.url,
    }))
    .sort((one, other) => other.prefix.length - one.prefix.length)

  function find(path: string): Place | null {
    if (places.length === 0) return null
    const decoded = decodePath(path)
    for (const { folder, layers, prefix } of places) {
      // A path that is not UTF-8 still belongs to the prefix that it begins with; no file has its name.
      if (decoded === null ? path.startsWith(prefix) : decoded.startsWith(prefix)) {
        return { folder, layers, relativePath: decoded === null ? '' : decoded.slice(prefix.length) }
      }
    }
    return null
  }

  return {
    owns: (path) => find(path) !== null,
    handle(request, response, target) {
      const place = find(target.path)
      if (place === null) return false
      response.on('error', ignore)
      serve(request, response, place).catch((error: NodeJS.ErrnoException) => {
        const isOutOfFiles = error.code === 'EMFILE' || error.code === 'ENFILE'
        logger.error({ err: error, path: target.path }, 'A static file could not be served')
        sendError(response, isOutOfFiles ? 503 : 500, { headers: isOutOfFiles ? { 'retry-after': '1' } : {} })
      })
      return true
    },
  }
}

async function serve(request: IncomingMessage, response: ServerResponse, place: Place): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    sendError(response, 405, { headers: { allow: 'GET, HEAD' } })
    return
  }
  const { folder, layers, relativePath } = place
  const found = isServable(relativePath) ? await openFirst(layers, relativePath) : null
  if (found === null) {
    sendError(response, 404)
    return
  }
  const { files, original } = found
  let chosen: { file: OpenFile; coding: Coding | null } = { file: original, coding: null }
  try {
    const type = mediaType(relativePath)
    const mayVary = folder.kind === 'static' && isCompressible(type)
    if (mayVary) chosen = await chooseVariant(request, files, original)
    await respond(request, response, { ...chosen, folder, type, mayVary, fileName: basename(relativePath) })
  } finally {
    await original.handle.close()
    if (chosen.file !== original) await chosen.file.handle.close()
  }
}

/** The file with the folder that has it: its compressed siblings are those beside it. */
async function openFirst(layers: readonly FolderFiles[], relativePath: string) {
  for (const files of layers) {
    const original = await files.open(relativePath)
    if (original !== null) return { files, original }
  }
  return null
}

/** The compressed sibling that the client likes best; one older than the original is a leftover. */
async function chooseVariant(request: IncomingMessage, files: FolderFiles, original: OpenFile) {
  for (const coding of acceptedCodings(request.headers['accept-encoding']?.toString())) {
    const file = await files.openSibling(original, coding.suffix)
    if (file === null) continue
    if (file.modifiedAt >= original.modifiedAt) return { file, coding }
    await file.handle.close()
  }
  return { file: original, coding: null }
}

interface Representation {
  file: OpenFile
  coding: Coding | null
  folder: StaticFiles
  type: string
  mayVary: boolean
  fileName: string
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  representation: Representation,
): Promise<void> {
  const { file, type } = representation
  const validators = validatorsOf(representation)
  const headers = commonHeaders(representation, validators)
  const condition = evaluateConditions(request.headers, validators)
  if (condition !== 200) {
    response.writeHead(condition, condition === 412 ? { ...headers, 'content-length': 0 } : headers).end()
    return
  }

  const { range, 'if-range': ifRange } = request.headers
  const ranges =
    range !== undefined && request.method === 'GET' && isRangeCurrent(ifRange?.toString(), validators)
      ? parseRanges(range, file.size)
      : 'all'
  if (ranges === 'none') {
    sendError(response, 416, { headers: { 'content-range': `bytes */${file.size}` } })
    return
  }

  let parts: BodyPart[] = file.size > 0 ? [{ start: 0, end: file.size - 1 }] : []
  if (ranges === 'all') {
    response.writeHead(200, { ...headers, 'content-type': type, 'content-length': file.size })
  } else if (ranges.length === 1) {
    const { start, end } = ranges[0]!
    parts = ranges
    response.writeHead(206, {
      ...headers,
      'content-type': type,
      'content-length': end - start + 1,
      'content-range': `bytes ${start}-${end}/${file.size}`,
    })
  } else {
    const multipart = layOutRanges(ranges, type, file.size)
    parts = multipart.parts
    response.writeHead(206, {
      ...headers,
      'content-type': `multipart/byteranges; boundary=${multipart.boundary}`,
      'content-length': multipart.length,
    })
  }
  if (request.method === 'HEAD') response.end()
  else await sendParts(response, file.handle, parts)
}

function validatorsOf({ file, coding }: Representation): Validators {
  const modifiedMs = file.modifiedAt.getTime()
  const opaque = `"${file.size.toString(16)}-${modifiedMs.toString(16)}${coding ? `-${coding.name}` : ''}"`
  const isSettled = Date.now() - modifiedMs > SETTLED_MS
  return { etag: isSettled ? opaque : `W/${opaque}`, lastModified: file.modifiedAt }
}

function commonHeaders(representation: Representation, validators: Validators): Record<string, string> {
  const { coding, fileName, folder, mayVary, type } = representation
  return {
    'accept-ranges': 'bytes',
    'cache-control': cacheControl(fileName, folder.kind),
    etag: validators.etag,
    'last-modified': validators.lastModified.toUTCString(),
    'x-content-type-options': 'nosniff',
    ...(mayVary && { vary: 'Accept-Encoding' }),
    ...(coding && { 'content-encoding': coding.name }),
    ...(folder.kind === 'media' && isActive(type) && UNTRUSTED),
  }
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
