import type { Compression } from '@havn/model'
import { directive } from './conf/directive.ts'
import type { Directive } from './conf/directive.ts'

/** Texts, scripts, data, vector images and plain fonts; nginx always has `text/html` among them. */
const TYPES = [
  ...['text/css', 'text/plain', 'text/csv', 'text/javascript', 'text/markdown', 'text/xml', 'text/calendar'],
  ...['application/javascript', 'application/json', 'application/ld+json', 'application/manifest+json'],
  ...['application/problem+json', 'application/geo+json', 'application/xml', 'application/xhtml+xml'],
  ...['application/rss+xml', 'application/atom+xml', 'application/wasm', 'image/svg+xml', 'image/bmp'],
  ...['image/x-icon', 'image/vnd.microsoft.icon', 'font/ttf', 'font/otf'],
]

/** Compression on the way: by gzip, the one coding that every nginx has. */
export function compressionDirectives(compression: Compression | undefined): Directive[] {
  if (!compression?.encodings.includes('gzip')) return [directive('gzip', 'off')]
  const types = (compression.types ?? TYPES).filter((type) => type !== 'text/html')
  return [
    directive('gzip', 'on'),
    directive('gzip_vary', 'on'),
    directive('gzip_proxied', 'any'),
    directive('gzip_http_version', '1.1'),
    directive('gzip_comp_level', compression.levels.gzip),
    directive('gzip_min_length', compression.minBytes),
    ...(types.length > 0 ? [directive('gzip_types', ...types)] : []),
  ]
}
