import type { Maintenance } from '@havn/model'
import { addressIn } from './client.ts'
import { block, directive } from './conf/directive.ts'
import type { Directive } from './conf/directive.ts'
import { map, matching } from './conf/map.ts'
import { plainText, script, text } from './conf/text.ts'
import { errorBody } from './error-pages.ts'
import { pathPattern } from './request-pattern.ts'
import { INTERNAL } from './routes.ts'

const MESSAGE = 'The site is under maintenance. Please come again in a little while.'
/** A status that means nothing to anyone but these directives. */
const CLOSED = 599

/** `$havn_closed` is 1 for requests that have to wait. */
export function maintenanceVariables(maintenance: Maintenance | null): Directive[] {
  if (maintenance === null) return []
  return [
    ...addressIn('$remote_addr', 'havn_guest', maintenance.allow),
    map(
      text`$havn_guest $havn_path`,
      'havn_closed',
      [
        [matching('^1 '), '0'],
        ...maintenance.except.map((path) => [matching(`^0 ${pathPattern(path, false)}\\z`), '0'] as const),
      ],
      '1',
    ),
    map(
      text`$http_accept`,
      'havn_takes_html',
      [[matching(String.raw`^\z|\btext/(?:html|\*)|\*/\*`, { ignoreCase: true }), '1']],
      '0',
    ),
    map(
      text`$havn_takes_html$havn_error_kind`,
      'havn_closed_kind',
      maintenance.page === undefined ? [] : [[matching('^1'), 'html']],
      text`$havn_error_kind`,
    ),
  ]
}

/** Turns away who has to wait, before anything else is done for a request. */
export function maintenanceGate(maintenance: Maintenance | null): Directive[] {
  if (maintenance === null) return []
  return [block('if', [{ source: '($havn_closed)' }], [directive('return', CLOSED)])]
}

/** What those see who have to wait. */
export function maintenanceAnswers(
  maintenance: Maintenance | null,
  securityHeaders: readonly Directive[],
): Directive[] {
  if (maintenance === null) return []
  const { page, retryAfterS } = maintenance
  const location = (kind: string, inside: readonly Directive[]) =>
    block(
      'location',
      ['=', `${INTERNAL}/closed/${kind}`],
      [
        directive('internal'),
        block('types', [], []),
        directive('add_header', 'Retry-After', retryAfterS, 'always'),
        directive('add_header', 'Cache-Control', 'no-store', 'always'),
        ...securityHeaders,
        ...inside,
      ],
    )
  return [
    directive('error_page', CLOSED, '=503', script(`${INTERNAL}/closed/$havn_closed_kind`)),
    location('text', [
      directive('default_type', 'text/plain; charset=utf-8'),
      directive('return', 503, plainText(errorBody(503, 'text', MESSAGE))),
    ]),
    location('json', [
      directive('default_type', 'application/problem+json'),
      directive('return', 503, plainText(errorBody(503, 'json', MESSAGE))),
    ]),
    ...(page === undefined
      ? []
      : [
          location('html', [
            directive('default_type', 'text/html'),
            directive('charset', 'utf-8'),
            directive('etag', 'off'),
            directive('alias', plainText(page)),
          ]),
        ]),
  ]
}
