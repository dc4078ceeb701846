import type { EdgeConfig, StaticFiles } from '@havn/model'
import { HASHED_NAMES, isActive, mediaType } from '@havn/proxy'
import { block, directive } from './conf/directive.ts'
import type { Directive } from './conf/directive.ts'
import { map, matching } from './conf/map.ts'
import { escapeRegex, literal, plainText, text } from './conf/text.ts'
import { addSecurityHeaders } from './security-headers.ts'

/** More ranges than a client needs; beyond it the whole is cheaper to send. */
const MAX_RANGES = 16
/** What the web's files are called; anything else goes out as bytes. */
const EXTENSIONS = (
  'html htm css js mjs cjs map json jsonld webmanifest xml rss atom txt md csv ics vtt ' +
  'svg png jpg jpeg gif webp avif ico bmp tif tiff apng ' +
  'woff woff2 ttf otf eot wasm pdf zip gz tar 7z rar ' +
  'mp3 m4a ogg oga opus wav flac aac mp4 m4v webm ogv mov avi mpg mpeg m3u8 ts ' +
  'doc docx xls xlsx ppt pptx odt ods odp rtf epub swf xhtml yaml yml toml'
).split(' ')

/** Uploads are data: opened by themselves they load nothing, run nothing and share nothing with the site. */
const UNTRUSTED_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"

/** Variables and types that the locations of files look at. */
export function fileVariables(): Directive[] {
  const active = EXTENSIONS.filter((extension) => isActive(mediaType(`a.${extension}`)))
  const isActiveFile = matching(`\\.(?:${active.map(escapeRegex).join('|')})$`, { ignoreCase: true })
  return [
    map(
      text`$uri`,
      'havn_file_cache',
      HASHED_NAMES.map(({ source }) => [matching(source), 'public, max-age=31536000, immutable'] as const),
      'no-cache',
    ),
    map(text`$uri`, 'havn_upload_disposition', [[isActiveFile, 'attachment']], literal('')),
    map(text`$uri`, 'havn_upload_policy', [[isActiveFile, plainText(UNTRUSTED_POLICY)]], literal('')),
    typesByExtension(),
    directive('default_type', 'application/octet-stream'),
  ]
}

/** Where the prefixes lie, the longest that matches first; and whether they leave anything to routes. */
export function staticPrefixes(folders: readonly StaticFiles[]): Map<string, StaticFiles> {
  const prefixes = new Map<string, StaticFiles>()
  for (const folder of folders) {
    const prefix = decoded(folder.url)
    if (!prefixes.has(prefix)) prefixes.set(prefix, folder)
  }
  return prefixes
}

/**
 * A location for each folder, and one for each folder that is looked at next. nginx decodes and resolves a path before it
 * chooses a location, so nothing in it leads out of the prefix.
 *
 * @param gates what every request has to pass first.
 */
export function staticLocations(config: EdgeConfig, gates: readonly Directive[]): Directive[] {
  return [...staticPrefixes(config.staticFiles)].flatMap(([prefix, folder], at) => {
    const roots = [folder.directory, ...(folder.fallbacks ?? [])]
    const fallback = (index: number) => `@havn_files_${at}_${index}`
    return roots.map((root, index) => {
      const next = index + 1 < roots.length ? fallback(index + 1) : '=404'
      const files = fileDirectives({ config, folder, root, next })
      if (index > 0) return block('location', [fallback(index)], files)
      return block(
        'location',
        ['^~', prefix],
        [
          ...gates,
          block(
            'if',
            [{ source: '($uri' }, { source: '~' }, { source: `${hiddenFiles(prefix)})` }],
            [directive('return', 404)],
          ),
          directive('rewrite', `(?s)^${escapeRegex(prefix)}(.*)\\z`, { source: '/$1' }, 'break'),
          ...files,
        ],
      )
    })
  })
}

function fileDirectives(options: {
  config: EdgeConfig
  folder: StaticFiles
  root: string
  next: string
}): Directive[] {
  const { config, folder, root, next } = options
  const isMedia = folder.kind === 'media'
  return [
    directive('root', plainText(root)),
    directive('disable_symlinks', 'on', text`from=${root.replace(/\/*$/, '/')}`),
    directive('try_files', { source: '$uri' }, next),
    ...(isMedia ? [] : [directive('gzip_static', 'on'), directive('gzip_vary', 'on')]),
    directive('charset', 'utf-8'),
    directive('charset_types', ...CHARSET_TYPES),
    directive('if_modified_since', 'before'),
    directive('max_ranges', MAX_RANGES),
    ...addSecurityHeaders(config.security, {
      'Cache-Control': isMedia ? literal('no-cache') : text`$havn_file_cache`,
      'X-Content-Type-Options': literal('nosniff'),
      ...(isMedia && {
        'Content-Disposition': text`$havn_upload_disposition`,
        'Content-Security-Policy': text`$havn_upload_policy`,
      }),
    }),
  ]
}

/** Dotfiles (save `.well-known`), empty segments and backslashes name no file to show. */
function hiddenFiles(prefix: string): string {
  const pattern =
    `(?s)^${escapeRegex(prefix)}` + String.raw`(?:(?:.*/)?(?:/|\z|\.(?!well-known(?:/|\z)))|.*\\)`
  return literal(pattern).source
}

function typesByExtension(): Directive {
  const byType = new Map<string, string[]>()
  for (const extension of EXTENSIONS) {
    const type = withoutCharset(mediaType(`a.${extension}`))
    byType.set(type, [...(byType.get(type) ?? []), extension])
  }
  return block(
    'types',
    [],
    [...byType].map(([type, extensions]) => directive(type, ...extensions)),
  )
}

/** `text/html` is always among them, and may not be named. */
const CHARSET_TYPES = [
  ...new Set(
    EXTENSIONS.map((extension) => mediaType(`a.${extension}`))
      .filter((type) => type.includes('charset='))
      .map(withoutCharset),
  ),
].filter((type) => type !== 'text/html')

function withoutCharset(type: string): string {
  return type.split(';')[0]!
}

function decoded(url: string): string {
  try {
    return decodeURIComponent(url)
  } catch {
    return url
  }
}
