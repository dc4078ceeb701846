import { shellOf } from '@havn/checklist'
import type { Dockerfile, DockerInstruction, DockerStage, ShellCommand } from '@havn/checklist'

/** An instruction of a stage. */
export interface StagedInstruction {
  file: Dockerfile
  stage: DockerStage
  instruction: DockerInstruction
}

/** A command that a `RUN` runs in a shell. */
export interface RunCommand extends StagedInstruction {
  /** What it is without `sudo`. */
  command: ShellCommand
  isBySudo: boolean
  /** All commands of its `RUN`, itself included: they make one layer. */
  layer: readonly ShellCommand[]
}

/** All instructions behind a `FROM`, those with this keyword alone where one is given. */
export function instructionsOf(files: readonly Dockerfile[], keyword?: string): StagedInstruction[] {
  return files.flatMap((file) =>
    file.stages.flatMap((stage) =>
      stage.instructions
        .filter((instruction) => keyword === undefined || instruction.keyword === keyword)
        .map((instruction) => ({ file, stage, instruction })),
    ),
  )
}

/** All commands that are run while an image is built, those of the exec form included. */
export function commandsOf(files: readonly Dockerfile[]): RunCommand[] {
  return instructionsOf(files, 'RUN').flatMap((staged) => {
    const written = [...shellOf(staged.instruction), ...execOf(staged.instruction)]
    const layer = written.map(withoutSudo)
    return layer.map((command, at) => ({ ...staged, command, layer, isBySudo: command !== written[at] }))
  })
}

/** The one command of `RUN ["pip", "install", "x"]`. */
function execOf({ exec, place }: DockerInstruction): ShellCommand[] {
  const [program, ...args] = exec ?? []
  if (program === undefined) return []
  const words = args.map((text) => ({ text, place }))
  return [{ program: program.split('/').at(-1)!, args: words, place, operator: null }]
}

/** Options of sudo whose value is the next word. */
const SUDO_VALUES = /^-[CDghpRrTtUu]$/

function withoutSudo(command: ShellCommand): ShellCommand {
  if (command.program !== 'sudo') return command
  const { args } = command
  const first = args.findIndex(
    ({ text }, at) => !/^-|^[A-Za-z_]\w*=/.test(text) && !SUDO_VALUES.test(args[at - 1]?.text ?? ''),
  )
  // `sudo -i` is a shell.
  const program = args[first]?.text.split('/').at(-1) ?? 'sh'
  return { ...command, program, args: first === -1 ? [] : args.slice(first + 1) }
}

/**
 * The instructions that make the final image of a file, the oldest first: those of the last stage, and of the stages of
 * the same file that it builds on.
 */
export function finalInstructions({ final }: Dockerfile): DockerInstruction[] {
  const instructions: DockerInstruction[] = []
  for (let stage = final; stage !== null; stage = stage.base) instructions.unshift(...stage.instructions)
  return instructions
}

/** How people call a stage. */
export function nameOf(file: Dockerfile, stage: DockerStage): string {
  return stage.name === null ? `stage ${file.stages.indexOf(stage)}` : `stage ${stage.name}`
}

/** Arguments that are no options. */
export function operandsOf({ args }: ShellCommand) {
  return args.filter(({ text }) => !text.startsWith('-'))
}

export function hasOption({ args }: ShellCommand, ...names: readonly string[]): boolean {
  return args.some(({ text }) => names.some((name) => text === name || text.startsWith(`${name}=`)))
}
