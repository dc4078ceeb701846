import { basename } from 'node:path/posix'
import type { SourcePlace } from '@havn/plugin-api'
import type { ShellCommand, ShellWord } from '../shell/parse-shell.ts'
import { serverKinds, type ServerKind } from './server-kinds.ts'

/** A server's program among the words of a command. */
export interface FoundServer {
  kind: ServerKind
  args: readonly ShellWord[]
  wrappers: readonly string[]
  /** Of the server's program and its arguments, without what runs it. */
  place: SourcePlace
}

type Served = Pick<FoundServer, 'kind' | 'args'>

/** Programs that run the command among their arguments. */
const WRAPPERS =
  /^(?:poetry|pipenv|pdm|hatch|rye|uv|uvx|npx|bunx|cross-env|cross-env-shell|dotenv|dumb-init|tini|tini-static|catatonit|s6-setuidgid|gosu|su-exec|setpriv|chroot|nice|ionice|timeout|stdbuf|sudo|runuser|newrelic-admin|opentelemetry-instrument|ddtrace-run|elastic-apm-run|sentry-run|honcho|conda|micromamba|watchmedo|watchfiles|chamber|infisical|doppler|aws-vault|with-contenv|init|entrypoint|docker-entrypoint\.sh|launcher|run-program|coverage|strace)$/
/** Words of wrappers before the command. */
const WRAPPER_WORDS = /^(?:run|exec|run-program|auto-restart|x|--|-[A-Za-z-].*|[A-Za-z_][A-Za-z0-9_]*=.*)$/
const PYTHON = /^(?:python|pypy)[0-9.]*$/
const MAX_WORDS = 200

/** Finds the server that a command starts, through what runs it; null when it starts none. */
export function findServer(command: ShellCommand): FoundServer | null {
  const first: ShellWord = { text: command.program, place: command.place }
  let words: readonly ShellWord[] = [first, ...command.args].slice(0, MAX_WORDS)
  const wrappers: string[] = []
  while (words.length > 0) {
    const program = basename(words[0]!.text)
    const args = words.slice(1)
    const found = serverOf(program, args)
    if (found !== null)
      return { ...found, wrappers, place: wrappers.length === 0 ? command.place : placeOf(words) }
    const next = behind(program, args)
    if (next === null) return null
    wrappers.push(program)
    words = next
  }
  return null
}

function placeOf(words: readonly ShellWord[]): SourcePlace {
  const { place } = words[0]!
  const { endLine, endColumn, file } = words.at(-1)!.place
  return file === place.file ? { ...place, endLine, endColumn } : place
}

function serverOf(program: string, args: readonly ShellWord[]): Served | null {
  if (PYTHON.test(program)) return pythonOf(args)
  const kind = serverKinds.find((each) => each.programs.test(program))
  return kind === undefined ? null : withSubcommand(kind, args)
}

function pythonOf(args: readonly ShellWord[]): Served | null {
  let at = 0
  // Options of Python: -u, -X dev, -W ignore.
  while (at < args.length && /^-[^mc]/.test(args[at]!.text)) at += /^-[XW]$/.test(args[at]!.text) ? 2 : 1
  const word = args[at]?.text
  if (word === undefined || word === '-c') return null
  if (word === '-m') {
    const module = args[at + 1]?.text ?? ''
    const kind = serverKinds.find(({ modules }) => modules.includes(module))
    if (kind !== undefined) return withSubcommand(kind, args.slice(at + 2))
    return serverOf(module, args.slice(at + 2))
  }
  if (!word.endsWith('.py')) return serverOf(basename(word), args.slice(at + 1))
  if (/^(?:manage|django-admin)\.py$/.test(basename(word)))
    return serverOf(basename(word), args.slice(at + 1))
  return { kind: SCRIPT, args: args.slice(at) }
}

/** `python app.py`: what it does is in the file. */
const SCRIPT: ServerKind = {
  name: 'python',
  programs: /^(?!)/,
  modules: [],
  names: {},
  flags: new Set(),
  variablePrefix: null,
  defaults: {},
}

/** Programs that do many things: only some of them serve. */
function withSubcommand(kind: ServerKind, args: readonly ShellWord[]): Served | null {
  const has = (...names: readonly string[]) => args.findIndex(({ text }) => names.includes(text))
  if (kind.name === 'runserver') {
    const at = has('runserver', 'runserver_plus')
    return at === -1 ? null : { kind, args: [...args.slice(0, at), ...args.slice(at + 1)] }
  }
  if (kind.name === 'flask') {
    const at = has('run')
    return at === -1 ? null : { kind, args: [...args.slice(0, at), ...args.slice(at + 1)] }
  }
  if (kind.name === 'celery') return has('worker', 'beat') === -1 ? null : { kind, args }
  if (kind.name === 'fastapi' || kind.name === 'next' || kind.name === 'nest') {
    const verbs = kind.name === 'fastapi' ? ['run', 'dev'] : ['start', 'dev']
    return args[0] !== undefined && verbs.includes(args[0].text) ? { kind, args } : null
  }
  if (kind.name === 'bundler') {
    const isServing = args.length === 0 || has('serve', 'start', 'dev', 'develop', 'server') !== -1
    const isBuilding = has('build', 'preview', 'test', 'lint') !== -1
    return isServing && !isBuilding ? { kind, args } : null
  }
  if (kind.name === 'npm') {
    const [verb, script] = args.filter(({ text }) => !text.startsWith('-'))
    if (verb === undefined) return null
    if (verb.text === 'run' || verb.text === 'run-script')
      return script === undefined ? null : { kind, args: [script] }
    return verb.text === 'start' || verb.text === 'dev' || verb.text === 'serve'
      ? { kind, args: [verb] }
      : null
  }
  if (kind.name === 'pm2') {
    const at = has('start')
    if (at !== -1) return { kind, args: [...args.slice(0, at), ...args.slice(at + 1)] }
    return args.length > 0 ? { kind, args } : null
  }
  return { kind, args }
}

/** The command that a wrapper runs; null when it is none that is known. */
function behind(program: string, args: readonly ShellWord[]): readonly ShellWord[] | null {
  const dashes = args.findIndex(({ text }) => text === '--')
  if (dashes !== -1) return args.slice(dashes + 1)
  if (!WRAPPERS.test(program)) return null
  const start = args.findIndex((word, at) => !WRAPPER_WORDS.test(word.text) && isProgram(args, at))
  return start === -1 ? null : args.slice(start)
}

function isProgram(args: readonly ShellWord[], at: number): boolean {
  const name = basename(args[at]!.text)
  return PYTHON.test(name) || WRAPPERS.test(name) || serverKinds.some(({ programs }) => programs.test(name))
}
