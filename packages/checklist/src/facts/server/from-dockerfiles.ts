import type { Dockerfile, DockerInstruction, DockerStage } from '../dockerfile/dockerfile.ts'
import type { ShellWord } from '../shell/parse-shell.ts'
import type { CommandReader } from './command-reader.ts'
import { isDevelopmentName } from './is-development.ts'
import type { CommandOrigin, ServerCommand, SetVariable } from './server-command.ts'
import { toCommand, type Started } from './started.ts'

/** What an image starts: what it is made of says where. */
export interface ImageStart {
  entrypoint: DockerInstruction | null
  command: DockerInstruction | null
}

/** Instructions that make a stage, those of the stages of the same file that it builds on first. */
export function instructionsOfStage(stage: DockerStage | null): DockerInstruction[] {
  const instructions: DockerInstruction[] = []
  for (let at = stage; at !== null; at = at.base) instructions.unshift(...at.instructions)
  return instructions
}

/** The last `ENTRYPOINT` and the last `CMD`; a new entry point makes Docker forget the command of the image below it. */
export function startOf(stage: DockerStage | null): ImageStart {
  const instructions = instructionsOfStage(stage)
  const last = (keyword: string) => instructions.findLast((each) => each.keyword === keyword) ?? null
  return { entrypoint: last('ENTRYPOINT'), command: last('CMD') }
}

/** Variables that an image sets. */
export function variablesOfStage(stage: DockerStage | null): Map<string, SetVariable> {
  const variables = new Map<string, SetVariable>()
  for (const { keyword, words, place } of instructionsOfStage(stage)) {
    if (keyword !== 'ENV' && keyword !== 'ARG') continue
    const [first, ...rest] = words
    if (keyword === 'ENV' && first !== undefined && !first.text.includes('=')) {
      variables.set(first.text, { value: rest.map(({ text }) => text).join(' '), place })
      continue
    }
    for (const word of words) {
      const equals = word.text.indexOf('=')
      if (equals === -1) continue
      const value = word.text.slice(equals + 1)
      const known = value.includes('$') ? (/^\$\{\w+:-([^${}]*)\}$/.exec(value)?.[1] ?? null) : value
      const name = word.text.slice(0, equals)
      if (keyword === 'ENV' || !variables.has(name)) variables.set(name, { value: known, place: word.place })
    }
  }
  return variables
}

/** The strings of an exec form, each where it is written; null in shell form. */
export function execWords({ exec, rest }: DockerInstruction): ShellWord[] | null {
  if (exec === null) return null
  const found = [...rest.text.matchAll(/"(?:[^"\\]|\\.)*"/g)]
  return exec.map((text, at) => {
    const match = found[at]
    const start = match?.index ?? 0
    return { text, place: rest.placeOf(start, start + (match?.[0].length ?? rest.text.length)) }
  })
}

/** The servers that a stage starts by itself. */
export async function readStage(
  reader: CommandReader,
  stage: DockerStage | null,
  input: { origin: CommandOrigin; environment?: ReadonlyMap<string, SetVariable>; isInherited?: boolean },
): Promise<ServerCommand[]> {
  const { entrypoint, command } = startOf(stage)
  const environment = new Map([...variablesOfStage(stage), ...(input.environment ?? [])])
  const started = {
    ...input,
    environment,
    via: [],
    wrappers: [],
    rest: [],
    isInherited: input.isInherited ?? false,
  }
  if (entrypoint !== null && entrypoint.exec === null) return readShellForm(reader, started, entrypoint)
  const words = entrypoint === null ? null : execWords(entrypoint)
  if (command === null) return words === null ? [] : readWords(reader, started, words)
  const commandWords = execWords(command)
  if (words === null || words.length === 0)
    return commandWords === null
      ? readShellForm(reader, started, command)
      : readWords(reader, started, commandWords)
  if (commandWords !== null) return readWords(reader, started, [...words, ...commandWords])
  // A shell's text behind an entry point: the entry point runs a shell, and what it does itself counts too.
  return [...(await readWords(reader, started, words)), ...(await readShellForm(reader, started, command))]
}

type Unparsed = Omit<Started, 'command'>

async function readWords(reader: CommandReader, started: Unparsed, words: readonly ShellWord[]) {
  const command = toCommand(words)
  return command === null ? [] : reader.read({ ...started, command })
}

async function readShellForm(reader: CommandReader, started: Unparsed, { rest, place }: DockerInstruction) {
  const command = { program: '', args: [], place, operator: null }
  return reader.readShell({ ...started, command }, rest)
}

/** The servers that the final stages of Dockerfiles start. */
export async function fromDockerfiles(
  reader: CommandReader,
  dockerfiles: readonly Dockerfile[],
): Promise<ServerCommand[]> {
  const found: ServerCommand[] = []
  for (const dockerfile of dockerfiles) {
    const { final, source } = dockerfile
    const isDevelopment = isDevelopmentName(source.file) || isDevelopmentName(final?.name ?? '')
    const origin: CommandOrigin = {
      kind: 'dockerfile',
      file: source.file,
      resource: final?.name == null ? null : `stage ${final.name}`,
      isDevelopment,
      isContainer: true,
      dockerfile,
    }
    found.push(...(await readStage(reader, final, { origin })))
  }
  return found
}
