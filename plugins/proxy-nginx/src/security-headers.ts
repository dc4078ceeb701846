import type { Security } from '@havn/model'
import { SecurityHeaders } from '@havn/proxy'
import { directive } from './conf/directive.ts'
import type { Directive } from './conf/directive.ts'
import { exactly, map } from './conf/map.ts'
import { literal, plainText, text } from './conf/text.ts'
import type { Word } from './conf/text.ts'

const HSTS = 'Strict-Transport-Security'

interface Header {
  name: string
  value: string
}

/** `$havn_add_…`: the headers for browsers, empty where the upstream sent its own. */
export function securityVariables(security: Security): Directive[] {
  return headersOf(security).map(({ name, value }) =>
    name === HSTS
      ? map(
          text`$havn_scheme $upstream_http_strict_transport_security`,
          variableOf(name),
          [[exactly('https '), plainText(value)]],
          literal(''),
        )
      : map(
          { source: `$upstream_http_${underscored(name)}` },
          variableOf(name),
          [[literal(''), plainText(value)]],
          literal(''),
        ),
  )
}

/**
 * Adds them to whatever is answered. A location that adds a header of its own loses those of the server, so each names
 * them all.
 *
 * @param own what a location sends in place of them, or beside them; nginx leaves out an empty one.
 */
export function addSecurityHeaders(
  security: Security,
  own: Readonly<Record<string, Word>> = {},
): Directive[] {
  const names = new Set(Object.keys(own).map((name) => name.toLowerCase()))
  const added = headersOf(security).filter(({ name }) => !names.has(name.toLowerCase()))
  return [
    ...added.map(({ name }) => directive('add_header', name, { source: `$${variableOf(name)}` }, 'always')),
    ...Object.entries(own).map(([name, value]) => directive('add_header', name, value, 'always')),
  ]
}

/** What the security headers say under a name by themselves; empty where they say nothing. */
export function securityHeader(security: Security, name: string): Word {
  const found = headersOf(security).some((header) => header.name === name)
  return found ? { source: `$${variableOf(name)}` } : literal('')
}

function headersOf(security: Security): Header[] {
  const list = SecurityHeaders.create(security)?.list('https') ?? []
  return list.map(([name, value]) => ({ name, value }))
}

function variableOf(name: string): string {
  return `havn_add_${underscored(name)}`
}

function underscored(name: string): string {
  return name.toLowerCase().replaceAll('-', '_')
}
