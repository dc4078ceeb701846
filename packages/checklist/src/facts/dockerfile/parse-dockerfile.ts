import type { SourceText } from '../../source/source-text.ts'
import type { Dockerfile, DockerInstruction, DockerStage } from './dockerfile.ts'
import { readInstructions } from './read-instructions.ts'

const VARIABLE = /\$(?:\{([A-Za-z_][A-Za-z0-9_]*)(?:(:?[-+])([^}]*))?\}|([A-Za-z_][A-Za-z0-9_]*))/g

/** Reads a Dockerfile: its stages, and what each builds on. */
export function parseDockerfile(source: SourceText): Dockerfile {
  const preamble: DockerInstruction[] = []
  const stages: (DockerStage & { instructions: DockerInstruction[] })[] = []
  const args = new Map<string, string>()
  for (const instruction of readInstructions(source)) {
    const current = stages.at(-1)
    if (instruction.keyword === 'FROM') stages.push(toStage(instruction, stages, args))
    else if (current !== undefined) current.instructions.push(instruction)
    else {
      preamble.push(instruction)
      // Only these are known to FROM.
      if (instruction.keyword === 'ARG') for (const { text } of instruction.words) setArg(args, text)
    }
  }
  return { source, preamble, stages, final: stages.at(-1) ?? null }
}

function setArg(args: Map<string, string>, text: string): void {
  const equals = text.indexOf('=')
  if (equals !== -1) args.set(text.slice(0, equals), expand(text.slice(equals + 1), args))
}

function toStage(from: DockerInstruction, stages: readonly DockerStage[], args: ReadonlyMap<string, string>) {
  const [image, as, name] = from.words
  const text = expand(image?.text ?? '', args)
  const base = stages.find((stage) => stage.name !== null && stage.name === text.toLowerCase()) ?? null
  const isNamed = as?.text.toLowerCase() === 'as' && name !== undefined
  return { from, name: isNamed ? name.text.toLowerCase() : null, image: text, base, instructions: [] }
}

/** Puts variables in; one that is not known stays as it is written. */
function expand(text: string, args: ReadonlyMap<string, string>): string {
  return text.replaceAll(VARIABLE, (whole, braced: string, operator: string, word: string, bare: string) => {
    const value = args.get(braced ?? bare)
    if (operator?.endsWith('+')) return value ? word : ''
    if (operator?.endsWith('-') && !value) return word
    return value ?? whole
  })
}
