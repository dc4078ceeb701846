import { basename } from 'node:path/posix'
import { MappedText } from '../../source/mapped-text.ts'
import type { SourceText } from '../../source/source-text.ts'
import { entriesOf, readIni } from '../ini/read-ini.ts'
import type { CommandReader } from './command-reader.ts'
import { isDevelopmentName } from './is-development.ts'
import { scriptsOf } from './package-scripts.ts'
import type { CommandOrigin, ServerCommand, SetVariable } from './server-command.ts'

/** Each kind of file that starts commands on a machine or a platform, without a container. */
const KINDS: readonly {
  kind: CommandOrigin['kind']
  matches(file: string, source: SourceText): boolean
  commands(source: SourceText): HostCommand[]
}[] = [
  {
    kind: 'procfile',
    matches: (file) => /^Procfile(?:\.\w+)?$/.test(basename(file)),
    commands: fromProcfile,
  },
  { kind: 'package', matches: (file) => basename(file) === 'package.json', commands: fromPackage },
  {
    kind: 'systemd',
    matches: (file) => /\.service(?:\.(?:j2|tmpl|template|in|example|sample))?$/.test(basename(file)),
    commands: fromSystemd,
  },
  {
    kind: 'supervisor',
    matches: (file, { text }) => /\.(?:conf|ini)$/.test(file) && /^\[program:/m.test(text),
    commands: fromSupervisor,
  },
]

interface HostCommand {
  name: string
  script: MappedText
  environment: Map<string, SetVariable>
  isDevelopment?: boolean
}

/** Whether a file may start servers without a container, by its name. */
export function isHostFile(file: string): boolean {
  return /(?:^|\/)(?:Procfile(?:\.\w+)?|package\.json)$|\.service(?:\.\w+)?$|\.(?:conf|ini)$/.test(file)
}

/** The servers that a file starts; none where it is of no such kind. */
export async function fromHostFile(reader: CommandReader, source: SourceText): Promise<ServerCommand[]> {
  const kind = KINDS.find(({ matches }) => matches(source.file, source))
  if (kind === undefined) return []
  const found: ServerCommand[] = []
  for (const { name, script, environment, isDevelopment = false } of kind.commands(source)) {
    const origin: CommandOrigin = {
      kind: kind.kind,
      file: source.file,
      resource: name,
      isDevelopment: isDevelopment || isDevelopmentName(source.file) || isDevelopmentName(name),
      // Supervisor runs in containers as often as on machines.
      isContainer: false,
      dockerfile: null,
      stage: null,
      service: null,
      pod: null,
    }
    const command = { program: '', args: [], place: script.placeOf(0, script.text.length), operator: null }
    const started = { command, origin, environment, via: [], wrappers: [], rest: [], isInherited: false }
    found.push(...(await reader.readShell(started, script)))
  }
  return found
}

function fromProcfile(source: SourceText): HostCommand[] {
  return [...source.text.matchAll(/^([A-Za-z0-9_-]+):[ \t]*(.+)$/gm)].slice(0, 100).map((match) => {
    const start = match.index + match[0].length - match[2]!.length
    return {
      name: match[1]!,
      script: MappedText.of(source, start, match.index + match[0].length),
      environment: new Map(),
    }
  })
}

/** What runs in production by its name; others are reached by what runs them. */
function fromPackage(source: SourceText): HostCommand[] {
  return [...scriptsOf(source)]
    .filter(([name]) => /^(?:start|serve|prod|production)(?::(?:prod|production|server|web))?$/.test(name))
    .map(([name, script]) => ({ name, script, environment: new Map() }))
}

function fromSystemd(source: SourceText): HostCommand[] {
  const entries = entriesOf(readIni(source), 'Service')
  const environment = new Map<string, SetVariable>()
  for (const { key, value, place } of entries)
    if (key === 'Environment')
      for (const [, quoted, name, text] of value.text.matchAll(
        /("?)([A-Za-z_]\w*)=((?:(?!\1[ \t]|\1$)[^"])*)/g,
      )) {
        void quoted
        environment.set(name!, { value: text!.trim(), place })
      }
  return entries
    .filter(({ key }) => key === 'ExecStart')
    .map(({ value }) => ({
      name: basename(source.file),
      // `-`, `+`, `!` and `@` before the program say how systemd runs it.
      script: value.slice(/^[-+!@:|]*/.exec(value.text)![0].length),
      environment,
    }))
}

function fromSupervisor(source: SourceText): HostCommand[] {
  return readIni(source).flatMap(({ name, entries }) => {
    const program = /^program:(.*)$/.exec(name)?.[1]
    if (program === undefined) return []
    const environment = new Map<string, SetVariable>()
    for (const { value, place } of entries.filter(({ key }) => key === 'environment'))
      for (const [, variable, double, single, plain] of value.text.matchAll(
        /([A-Za-z_]\w*)=(?:"([^"]*)"|'([^']*)'|([^,]*))/g,
      ))
        environment.set(variable!, { value: double ?? single ?? plain ?? '', place })
    return entries
      .filter(({ key }) => key === 'command')
      .map(({ value }) => ({ name: program.trim(), script: value, environment }))
  })
}
