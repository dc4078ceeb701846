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

/** Variables that instructions of an image know, its build arguments included. */
export function variablesOfStage(stage: DockerStage | null): Map<string, SetVariable> {
  return readVariables(instructionsOfStage(stage))
}

/** Variables that an image gives to what runs in it: build arguments are gone by then. */
function environmentOfStage(stage: DockerStage | null): Map<string, SetVariable> {
  return readVariables(instructionsOfStage(stage).filter(({ keyword }) => keyword !== 'ARG'))
}

function readVariables(instructions: readonly DockerInstruction[]): Map<string, SetVariable> {
  const variables = new Map<string, SetVariable>()
  for (const { keyword, words, place } of instructions) {
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

/** What runs in an image: its own start, or what stands in place of parts of it. */
export interface StageStart {
  origin: CommandOrigin
  /** Over what the image sets. */
  environment?: ReadonlyMap<string, SetVariable>
  /** In place of `ENTRYPOINT`, and then of `CMD` as well. */
  entrypoint?: readonly ShellWord[] | null
  /** In place of `CMD`. */
  command?: readonly ShellWord[] | null
}

/** The servers that an image starts. */
export async function readStage(reader: CommandReader, start: StageStart): Promise<ServerCommand[]> {
  const { origin } = start
  const environment = new Map([...environmentOfStage(origin.stage), ...(start.environment ?? [])])
  const isInherited = origin.kind !== 'dockerfile' && !start.entrypoint && !start.command
  const started = { origin, environment, via: [], wrappers: [], rest: [], isInherited }

  const image = startOf(origin.stage)
  if (start.entrypoint) return readWords(reader, started, [...start.entrypoint, ...(start.command ?? [])])
  const { entrypoint } = image
  // In shell form, whatever comes behind it is lost.
  if (entrypoint !== null && entrypoint.exec === null) return readShellForm(reader, started, entrypoint)
  const words = (entrypoint === null ? null : execWords(entrypoint)) ?? []
  if (start.command) return readWords(reader, started, [...words, ...start.command])
  const { command } = image
  if (command === null) return readWords(reader, started, words)
  const commandWords = execWords(command)
  if (commandWords !== null) return readWords(reader, started, [...words, ...commandWords])
  // A text for a shell behind an entry point: what that does itself counts, too.
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
      stage: final,
      service: null,
      pod: null,
    }
    found.push(...(await readStage(reader, { origin })))
  }
  return found
}
