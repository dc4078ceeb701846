import { contentType } from 'mime-types'

const COMPRESSIBLE =
  /^(?:text\/|font\/(?:ttf|otf)|image\/(?:svg\+xml|bmp|x-icon|vnd\.microsoft\.icon))|json|javascript|xml|wasm/
/** What a browser would run, or render with scripts in it, from the site's own origin. */
const ACTIVE = /html|xml|svg|javascript|ecmascript|x-shockwave-flash/

const UNKNOWN = 'application/octet-stream'
/** Of the extensions that there are; a request can't add to them. */
const known = new Map<string, string>()

/** Content-Type for a file name, with a charset where it is text; `application/octet-stream` for the unknown. */
export function mediaType(fileName: string): string {
  const dot = fileName.lastIndexOf('.')
  const extension = dot > 0 ? fileName.slice(dot) : ''
  if (extension === '') return UNKNOWN
  const before = known.get(extension)
  if (before !== undefined) return before
  const type = contentType(extension)
  if (type === false) return UNKNOWN
  known.set(extension, type)
  return type
}

/** True for types that are worth compressing, and so may have compressed siblings. */
export function isCompressible(type: string): boolean {
  return COMPRESSIBLE.test(type)
}

/** True for uploads that must not run with the rights of the site they were uploaded to. */
export function isActive(type: string): boolean {
  return ACTIVE.test(type)
}
