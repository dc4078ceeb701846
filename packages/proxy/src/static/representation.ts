import { basename } from 'node:path'
import type { StaticFiles } from '@havn/model'
import { cacheControl } from './cache-policy.ts'
import type { Validators } from './conditions.ts'
import type { Coding } from './content-coding.ts'
import { isActive } from './media-type.ts'
import type { OpenFile } from './open-file.ts'

/** Uploads are data: opened by themselves they load nothing, run nothing and share nothing with the site. */
const UNTRUSTED = {
  'Content-Disposition': 'attachment',
  'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox",
}
/** A file that changed this recently may change again within its timestamp's grain: its ETag is weak. */
const SETTLED_MS = 2_000

/** What is known of a file's answers before a request says what it wants of it. */
export interface Representation {
  size: number
  type: string
  validators: Validators
  /** False while the file may still be written to. */
  isSettled: boolean
  /** Of every answer that tells of the file, with or without a body. */
  headers: Readonly<Record<string, string>>
}

/** Describes a file that was found for a path below a folder. */
export function describeFile(found: {
  file: OpenFile
  coding: Coding | null
  folder: StaticFiles
  relativePath: string
  type: string
  mayVary: boolean
}): Representation {
  const { file, coding, folder, relativePath, type, mayVary } = found
  const modifiedMs = file.modifiedAt.getTime()
  const isSettled = Date.now() - modifiedMs > SETTLED_MS
  const opaque = `"${file.size.toString(16)}-${modifiedMs.toString(16)}${coding ? `-${coding.name}` : ''}"`
  const validators = { etag: isSettled ? opaque : `W/${opaque}`, lastModified: file.modifiedAt }
  const headers = {
    'Accept-Ranges': 'bytes',
    'Cache-Control': cacheControl(basename(relativePath), folder.kind),
    ETag: validators.etag,
    'Last-Modified': validators.lastModified.toUTCString(),
    'X-Content-Type-Options': 'nosniff',
    ...(mayVary && { Vary: 'Accept-Encoding' }),
    ...(coding && { 'Content-Encoding': coding.name }),
    ...(folder.kind === 'media' && isActive(type) && UNTRUSTED),
  }
  return { size: file.size, type, validators, isSettled, headers }
}
