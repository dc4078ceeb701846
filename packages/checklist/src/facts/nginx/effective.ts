import type { NginxConfig, NginxDirective } from './nginx-config.ts'

/** The blocks that a directive stands in, the inmost first. */
export function blocksOf(directive: NginxDirective): NginxDirective[] {
  const blocks: NginxDirective[] = []
  for (let at = directive.parent; at !== null; at = at.parent) blocks.push(at)
  return blocks
}

/** The first argument of a directive; empty without any. */
export function argOf({ args }: NginxDirective): string {
  return args[0]?.text ?? ''
}

/** The server block that a directive stands in. */
export function serverOf(directive: NginxDirective): NginxDirective | null {
  return blocksOf(directive).find(({ name }) => name === 'server') ?? null
}

/** Whether a server block speaks TLS. */
export function speaksTls(server: NginxDirective | null): boolean {
  return (server?.block ?? []).some(
    ({ name, args }) => name === 'listen' && args.some(({ text }) => text === 'ssl'),
  )
}

/**
 * The directives of this name that hold where another one stands: those of the inmost level that has any. `add_header` and
 * `proxy_set_header` are inherited so, all or none, and single values as well.
 */
export function effectiveDirectives(
  directive: NginxDirective,
  name: string,
  config: NginxConfig,
): readonly NginxDirective[] {
  for (const level of levelsOf(directive, config)) {
    const found = level.filter((each) => each.name === name)
    if (found.length > 0) return found
  }
  return []
}

/** Whether a file is read into one of the levels around a directive: what is set there, is not seen here. */
export function hasInclude(directive: NginxDirective, config: NginxConfig): boolean {
  return levelsOf(directive, config).some((level) =>
    level.some(({ name, args }) => name === 'include' && !NEUTRAL.test(args[0]?.text ?? '')),
  )
}

/** Files that set nothing for the block that reads them. */
const NEUTRAL = /mime\.types|conf\.d|sites-enabled/

function levelsOf(directive: NginxDirective, config: NginxConfig): (readonly NginxDirective[])[] {
  return [...blocksOf(directive).map(({ block }) => block ?? []), config.directives]
}
