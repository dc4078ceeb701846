import { STATUS_CODES } from 'node:http'
import { block, directive } from './conf/directive.ts'
import type { Directive } from './conf/directive.ts'
import { map, matching } from './conf/map.ts'
import { plainText, script, text } from './conf/text.ts'
import { INTERNAL } from './routes.ts'

/** What nginx finds wrong by itself, and the status that says so; 494 and 499 are its own. */
const ERRORS: readonly (readonly [found: number, status: number])[] = [
  ...[400, 404, 405, 408, 411, 413, 414, 429, 500, 501, 502, 503, 504, 505].map(
    (code) => [code, code] as const,
  ),
  // Who may not see a file is told that there is none.
  [403, 404],
  [494, 431],
]

/** `$havn_error_kind`: how a client likes to read of an error. */
export function errorVariables(): Directive[] {
  return [
    map(
      text`$http_accept`,
      'havn_error_kind',
      [
        [matching(String.raw`\btext/html\b`, { ignoreCase: true }), 'text'],
        [matching(String.raw`\bjson\b`, { ignoreCase: true }), 'json'],
      ],
      'text',
    ),
  ]
}

/**
 * Answers to errors as the edge gives them: RFC 9457 to clients that ask for JSON, plain text to others.
 *
 * @param retryAfterS for 429.
 */
export function errorPages(options: {
  retryAfterS: number
  securityHeaders: readonly Directive[]
}): Directive[] {
  const { retryAfterS, securityHeaders } = options
  const statuses = [...new Set(ERRORS.map(([, status]) => status))]
  return [
    ...ERRORS.map(([found, status]) =>
      directive('error_page', found, `=${status}`, script(`${INTERNAL}/error-${status}/$havn_error_kind`)),
    ),
    ...statuses.flatMap((status) =>
      (['text', 'json'] as const).map((kind) =>
        block(
          'location',
          ['=', `${INTERNAL}/error-${status}/${kind}`],
          [
            directive('internal'),
            block('types', [], []),
            directive(
              'default_type',
              kind === 'json' ? 'application/problem+json' : 'text/plain; charset=utf-8',
            ),
            directive('add_header', 'Cache-Control', 'no-store', 'always'),
            ...(status === 405 ? [directive('add_header', 'Allow', 'GET, HEAD', 'always')] : []),
            ...(status === 429 ? [directive('add_header', 'Retry-After', retryAfterS, 'always')] : []),
            ...securityHeaders,
            directive('return', status, plainText(errorBody(status, kind))),
          ],
        ),
      ),
    ),
  ]
}

/** What an error response says. */
export function errorBody(status: number, kind: 'text' | 'json', detail?: string): string {
  const title = STATUS_CODES[status] ?? 'Error'
  if (kind === 'json') return JSON.stringify({ type: 'about:blank', title, status, detail }) + '\n'
  return `${status} ${title}\n` + (detail ? `\n${detail}\n` : '')
}
