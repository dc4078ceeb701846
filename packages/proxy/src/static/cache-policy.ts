import type { StaticFiles } from '@havn/model'

/** Django's ManifestStaticFilesStorage: `name.<12 hex digits>.ext`. Digits alone could be a date. */
const DJANGO_HASH = /\.(?=\d*[a-f])[0-9a-f]{12}\.[^.]+$/
/** `main.3f2a9c1b.js`, `chunk-3f2a9c1bd0.css`: webpack, Parcel, Turbopack. */
const HEX_HASH = /[.-](?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{8,64}(?:\.[a-z0-9]+)+$/
/** `index-BkX2Qz_1.js`, `chunk-5ZQ3KJ2A.mjs`: Vite, Rollup, esbuild; for code only, since photos are called so too. */
const BASE64_HASH = /[.-](?=[^.]*\d)(?=[^.]*[A-Z])[\w-]{8}\.(?:m?js|css|wasm|woff2?)(?:\.map)?$/

/** File names that hold a hash of the content. */
export const HASHED_NAMES: readonly RegExp[] = [DJANGO_HASH, HEX_HASH, BASE64_HASH]

/**
 * Cache-Control for a file: a name that holds a hash of the content never means anything else; every other file is
 * asked for again, which costs a 304.
 */
export function cacheControl(fileName: string, kind: StaticFiles['kind']): string {
  const isHashed = kind === 'static' && HASHED_NAMES.some((pattern) => pattern.test(fileName))
  return isHashed ? 'public, max-age=31536000, immutable' : 'no-cache'
}
