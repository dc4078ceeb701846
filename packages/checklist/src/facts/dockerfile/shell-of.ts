import type { DockerInstruction } from './dockerfile.ts'
import { parseShell, type ShellCommand } from '../shell/parse-shell.ts'

/** The commands that an instruction runs in a shell, heredocs included; none in exec form. */
export function shellOf(instruction: DockerInstruction): ShellCommand[] {
  if (instruction.exec !== null) return []
  if (instruction.heredocs.length > 0 && /^\s*<</.test(instruction.rest.text))
    return instruction.heredocs.flatMap(({ body }) => parseShell(body))
  return parseShell(instruction.rest)
}
