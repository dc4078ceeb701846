import type { SourceText } from '../../source/source-text.ts'
import { entriesOf, readIni } from '../ini/read-ini.ts'
import { expandVariables } from './expand-variables.ts'
import { toOption } from './read-options.ts'
import type { ServerOption, SetVariable } from './server-command.ts'
import type { ServerKind } from './server-kinds.ts'

const YAML_ENTRY =
  /^[ \t]+(?:-[ \t]+)?([A-Za-z][\w-]*)[ \t]*:[ \t]*(?:"([^"\n]*)"|'([^'\n]*)'|([^#\n]*?))[ \t]*(?:#.*)?$/gm
const MAX_OPTIONS = 500

/** The options of a uWSGI configuration file, ini or YAML: both are flat, below `uwsgi`. */
export function readUwsgiFile(
  kind: ServerKind,
  source: SourceText,
  environment: ReadonlyMap<string, SetVariable>,
): ServerOption[] {
  const value = (text: string) => {
    const expanded = expandVariables(text, environment)
    return /\$\(|%[({]|@\(/.test(expanded) ? null : expanded
  }
  if (/\.ya?ml$/.test(source.file))
    return [...source.text.matchAll(YAML_ENTRY)].slice(0, MAX_OPTIONS).map((match) => {
      const [whole, key, double, single, plain] = match
      const start = match.index + whole.length - whole.trimStart().length
      const place = source.placeOf(start, match.index + whole.trimEnd().length)
      return toOption(kind, {
        spelling: key!,
        value: value(double ?? single ?? plain ?? ''),
        place,
        from: 'file',
      })
    })
  return entriesOf(readIni(source), 'uwsgi')
    .slice(0, MAX_OPTIONS)
    .map(({ key, value: { text }, place }) =>
      toOption(kind, { spelling: key, value: value(text.trim() || 'true'), place, from: 'file' }),
    )
}
