import type { SourceTree } from '@havn/plugin-api'
import { MappedText } from '../../source/mapped-text.ts'
import { SourceText } from '../../source/source-text.ts'
import { parseShell, type ShellWord } from '../shell/parse-shell.ts'
import { findFile } from './find-file.ts'
import { findServer, type FoundServer } from './find-server.ts'
import { PackageScripts } from './package-scripts.ts'
import { readOptions, toOption } from './read-options.ts'
import { readPythonSettings } from './read-python-settings.ts'
import { readUwsgiFile } from './read-uwsgi-file.ts'
import type { ServerCommand, ServerOption, SetVariable } from './server-command.ts'
import { toCommand, type Started } from './started.ts'

/** Scripts that run scripts. */
const MAX_DEPTH = 4
const MAX_SCRIPT_LENGTH = 200_000
/** Commands of one origin. */
const MAX_COMMANDS = 100
const SHELL = /^(?:sh|bash|dash|ash|zsh|busybox)$/
/** What may be a script of the project; the rest are programs of the image. */
const SCRIPT = /\.(?:sh|bash)$|^[^$]*\/|entrypoint/
/** Scripts of other images: by custom, they run what they are given. */
const ENTRYPOINT = /\.(?:sh|bash)$|entrypoint/
/** Scripts of package.json that serve, by their names: one that cannot be read. */
const SERVING = /(?:^|:)(?:start|serve|dev|prod|production|preview)/
/** Servers whose first word says what they do: it is the option `verb`. */
const VERBS = new Set(['fastapi', 'next', 'nest', 'celery'])
/** A line that runs what the script was given. */
const RUNS_REST = /(?:^|[\s;&|])(?:exec\s+(?:[\w./-]+\s+(?:--\s+)?)*)?"?\$(?:@|\{@\}|\*)"?/m
const SCRIPT_ASSIGNMENT =
  /^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)=("(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[^\s;&|]*)/gm

/** Finds the servers in what is started: through shells, scripts of the project, npm, and their configuration files. */
export class CommandReader {
  readonly #tree: SourceTree
  readonly #files: readonly string[]
  readonly #texts = new Map<string, Promise<SourceText | null>>()
  readonly packages: PackageScripts

  constructor(tree: SourceTree, files: readonly string[]) {
    this.#tree = tree
    this.#files = files
    this.packages = new PackageScripts((file) => this.open(file))
  }

  /** A file of the project; null where it cannot be read. */
  open(file: string): Promise<SourceText | null> {
    let text = this.#texts.get(file)
    if (text === undefined) {
      text = this.#tree.read(file).then((found) => (found === null ? null : new SourceText(file, found)))
      this.#texts.set(file, text)
    }
    return text
  }

  /** The servers that a command starts: none, one, or all those of a script. */
  async read(started: Started, depth = 0): Promise<ServerCommand[]> {
    if (depth > MAX_DEPTH) return []
    const { command } = started
    const found = findServer(command)
    if (found !== null) return this.#readFound(started, found, depth)
    const { program, args } = command
    if (SHELL.test(program)) {
      const at = args.findIndex(({ text }) => /^-[a-z]*c[a-z]*$/.test(text))
      const [script, ...rest] = args.slice(at + 1).filter(({ text }) => at !== -1 || !text.startsWith('-'))
      if (script === undefined) return []
      if (at === -1) return this.#readScript({ ...started, rest: [...rest, ...started.rest] }, script, depth)
      return this.readShell(
        started,
        inner(script, this.#sourceOf(script, await this.open(script.place.file))),
        depth,
      )
    }
    // The program with its folder, which is all that leads to the script.
    const path = await this.#pathOf(started)
    if (!SCRIPT.test(path)) return []
    const given = { ...started, rest: [...args, ...started.rest] }
    return this.#readScript(given, { text: path, place: command.place }, depth)
  }

  /** The servers that a text for a shell starts. */
  async readShell(started: Started, script: MappedText, depth = 0): Promise<ServerCommand[]> {
    const commands = parseShell(script).slice(0, MAX_COMMANDS)
    const found: ServerCommand[] = []
    for (const command of commands) found.push(...(await this.read({ ...started, command }, depth)))
    return found.slice(0, MAX_COMMANDS)
  }

  #sourceOf(word: ShellWord, source: SourceText | null): SourceText {
    return source ?? new SourceText(word.place.file, '')
  }

  /** The program as it is written. */
  async #pathOf({ command }: Started): Promise<string> {
    const source = await this.open(command.place.file)
    const raw = source?.slice(command.place) ?? ''
    return new RegExp(`[^\\s"']*${escapeRegExp(command.program)}`).exec(raw)?.[0] ?? command.program
  }

  async #readScript(started: Started, script: ShellWord, depth: number): Promise<ServerCommand[]> {
    const { origin } = started
    const file = findFile(script.text, {
      files: this.#files,
      near: script.place.file,
      dockerfile: origin.dockerfile,
    })
    if (file === null && !ENTRYPOINT.test(script.text)) return []
    if (file === null || /\.(?:py|js|mjs|cjs|ts|json|ya?ml|rb|php)$/.test(file))
      return this.#readRest(started, depth)
    const source = await this.open(file)
    if (source === null || source.text.length > MAX_SCRIPT_LENGTH || source.text.includes('\0'))
      return this.#readRest(started, depth)
    const via = [...started.via, started.command.place]
    const environment = new Map([...assignments(source, started.environment), ...started.environment])
    const found = await this.readShell(
      { ...started, via, environment, rest: [] },
      MappedText.of(source),
      depth + 1,
    )
    const runsRest = RUNS_REST.test(source.text)
    return runsRest ? [...found, ...(await this.#readRest({ ...started, environment }, depth))] : found
  }

  /** What a script was given to run. */
  async #readRest(started: Started, depth: number): Promise<ServerCommand[]> {
    const [program, ...args] = started.rest
    if (program === undefined) return []
    const command = toCommand([program, ...args])!
    return this.read({ ...started, command, rest: [] }, depth + 1)
  }

  async #readFound(started: Started, found: FoundServer, depth: number): Promise<ServerCommand[]> {
    const { origin, command, via } = started
    const wrappers = [...started.wrappers, ...found.wrappers]
    if (found.kind.name === 'npm') {
      const name = found.args[0]?.text ?? ''
      const script = await this.packages.find(name, {
        files: this.#files,
        near: origin.dockerfile?.source.file ?? command.place.file,
        dockerfile: origin.dockerfile,
      })
      if (script !== null) {
        const next = {
          ...started,
          via: [...via, command.place],
          wrappers: [...wrappers, command.program],
          rest: [],
        }
        return this.readShell(next, script, depth + 1)
      }
      if (!SERVING.test(name)) return []
    }

    const variables = variableOptions(found, started.environment)
    const fromArguments = readOptions(found.kind, found.args, { environment: started.environment })
    const configured = await this.#readConfig(
      started,
      found,
      [...variables, ...fromArguments.options],
      fromArguments.operands,
    )
    const verb = VERBS.has(found.kind.name) ? fromArguments.operands[0] : undefined
    const own = verb === undefined ? [] : [{ ...verb, name: 'verb' }]
    const options = [...own, ...configured.options, ...variables, ...fromArguments.options]
    return [
      {
        server: found.kind.name,
        app: appOf(found, fromArguments.operands, options),
        place: found.place,
        origin,
        via,
        wrappers,
        options,
        environment: started.environment,
        hooks: configured.hooks,
        isInherited: started.isInherited,
      },
    ]
  }

  async #readConfig(
    { command, origin, environment }: Started,
    { kind }: FoundServer,
    options: readonly ServerOption[],
    operands: readonly ServerOption[],
  ): Promise<{ options: ServerOption[]; hooks: readonly string[] }> {
    const nothing = { options: [], hooks: [] }
    const search = { files: this.#files, near: command.place.file, dockerfile: origin.dockerfile }
    if (kind.name === 'gunicorn') {
      const named = options.findLast(({ name }) => name === 'config')?.value ?? null
      const path =
        named === null
          ? 'gunicorn.conf.py'
          : named.startsWith('python:')
            ? moduleFile(named.slice(7))
            : named.replace(/^file:/, '')
      const source = await this.#find(path, search)
      if (source === null) return nothing
      const { settings, functions } = readPythonSettings(source, environment)
      const read = settings.map(({ name, value, place }) =>
        toOption(kind, { spelling: name, value, place, from: 'file' }),
      )
      return { options: read, hooks: functions }
    }
    if (kind.name === 'uwsgi') {
      const named = options
        .filter(({ name }) => /^(?:ini|yaml|yml|ini-paste)$/.test(name))
        .map(({ value }) => value)
      const bare = operands
        .filter(({ value }) => /\.(?:ini|ya?ml)$/.test(value ?? ''))
        .map(({ value }) => value)
      const found: ServerOption[] = []
      for (const path of [...named, ...bare]) {
        const source = path === null ? null : await this.#find(path.replace(/:[\w-]+$/, ''), search)
        if (source !== null) found.push(...readUwsgiFile(kind, source, environment))
      }
      return { options: found, hooks: [] }
    }
    return nothing
  }

  async #find(path: string, search: Parameters<typeof findFile>[1]): Promise<SourceText | null> {
    const file = findFile(path, search)
    return file === null ? null : this.open(file)
  }
}

function moduleFile(module: string): string {
  return `${module.replaceAll('.', '/')}.py`
}

/** `GUNICORN_CMD_ARGS`, `UVICORN_WORKERS`, `WEB_CONCURRENCY`, as far as the deployment sets them. */
function variableOptions(
  { kind }: FoundServer,
  environment: ReadonlyMap<string, SetVariable>,
): ServerOption[] {
  const found: ServerOption[] = []
  const concurrency = environment.get('WEB_CONCURRENCY')
  if (concurrency !== undefined && /^(?:gunicorn|uvicorn)$/.test(kind.name))
    found.push({ name: 'workers', spelling: 'WEB_CONCURRENCY', ...concurrency, from: 'environment' })
  const allowed = environment.get('FORWARDED_ALLOW_IPS')
  if (allowed !== undefined && /^(?:gunicorn|uvicorn)$/.test(kind.name))
    found.push({
      name: 'forwarded-allow-ips',
      spelling: 'FORWARDED_ALLOW_IPS',
      ...allowed,
      from: 'environment',
    })
  const args = environment.get('GUNICORN_CMD_ARGS')
  if (args?.value != null && kind.name === 'gunicorn') {
    const { place } = args
    const words = args.value.split(/\s+/).filter((text) => text !== '')
    found.push(
      ...readOptions(
        kind,
        words.map((text) => ({ text, place })),
        { environment, from: 'environment' },
      ).options,
    )
  }
  if (kind.variablePrefix !== null)
    for (const [name, { value, place }] of environment)
      if (name.startsWith(kind.variablePrefix)) {
        const spelling = name.slice(kind.variablePrefix.length).toLowerCase()
        found.push({ ...toOption(kind, { spelling, value, place, from: 'environment' }), spelling: name })
      }
  return found
}

function appOf(
  { kind }: FoundServer,
  operands: readonly ServerOption[],
  options: readonly ServerOption[],
): ServerOption | null {
  const option = (...names: readonly string[]) => options.findLast(({ name }) => names.includes(name)) ?? null
  if (kind.name === 'uwsgi') return option('module', 'wsgi-file')
  if (kind.name === 'celery' || kind.name === 'flask') return option('app')
  if (kind.name === 'granian' || kind.name === 'gunicorn' || kind.name === 'uvicorn')
    return operands[0] ?? option('wsgi-app', 'app')
  if (kind.name === 'fastapi' || kind.name === 'next' || kind.name === 'nest') return operands[1] ?? null
  return operands[0] ?? null
}

/** The text inside a word's quotes, where each of it lies. */
function inner(word: ShellWord, source: SourceText): MappedText {
  const [start, end] = source.offsetsOf(word.place)
  const raw = source.text.slice(start, end)
  const at = raw.indexOf(word.text)
  if (at !== -1) return MappedText.of(source, start + at, start + at + word.text.length)
  return new MappedText(source, word.text, [...Array.from(word.text, () => start), start])
}

/** What a script sets, as far as it is known: `PORT=${PORT:-8000}` is what it was given, where it was given something. */
function assignments(source: SourceText, given: ReadonlyMap<string, SetVariable>): [string, SetVariable][] {
  return [...source.text.matchAll(SCRIPT_ASSIGNMENT)]
    .slice(0, 200)
    .flatMap((match): [string, SetVariable][] => {
      const [whole, name, raw] = match
      const value = raw!.replace(/^(["'])([\s\S]*)\1$/, '$2')
      const start = match.index
      const [, asked, fallback] = /^\$\{([A-Za-z_][A-Za-z0-9_]*):?-([^${}]*)\}$/.exec(value) ?? []
      const set = asked === undefined ? undefined : given.get(asked)
      const known = /[$`]/.test(value) ? (set === undefined ? (fallback ?? null) : set.value) : value
      return known === null
        ? []
        : [
            [
              name!,
              {
                value: known,
                place: source.placeOf(start + whole.length - whole.trimStart().length, start + whole.length),
              },
            ],
          ]
    })
}

function escapeRegExp(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
