import { HavnError, toErrorJson } from '@havn/model/errors'
import { paint, type Terminal } from './terminal.ts'

/**
 * Says what went wrong: code, what was seen, foreign words whole (a traceback, pip's output), what to change.
 * Never a stack trace of ours, unless the error is ours.
 *
 * @returns the exit code.
 */
export function printError(error: unknown, terminal: Terminal, asJson = false): number {
  const json = toErrorJson(error)
  if (asJson) {
    terminal.stdout.write(JSON.stringify({ error: json }, null, 2) + '\n')
    return json.exit
  }
  const color = terminal.isStderrColored
  const lines = [
    `${paint(color, 'red', 'error')} ${paint(color, 'bold', json.code)}: ${indentRest(json.message)}`,
  ]
  if (json.detail)
    lines.push(
      '',
      ...json.detail
        .trimEnd()
        .split('\n')
        .map((line) => `    ${line}`),
      '',
    )
  lines.push(`  ${paint(color, 'cyan', 'fix')}  ${indentRest(json.hint)}`)
  terminal.stderr.write(lines.join('\n') + '\n')
  return error instanceof HavnError ? error.exit : json.exit
}

function indentRest(text: string): string {
  return text.replaceAll('\n', '\n  ')
}
