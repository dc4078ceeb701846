import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** The stack without the frames of Node and of this package, which tell the app's author nothing. */
export function ownStack(error: unknown): string {
  if (!(error instanceof Error) || error.stack === undefined) return String(error)
  const ours = new URL('..', import.meta.url).href
  return error.stack
    .split('\n')
    .filter((line) => !/^\s+at /.test(line) || !(/[( ]node:/.test(line) || line.includes(ours)))
    .join('\n')
}

/**
 * The same for an error at import. A SyntaxError does not tell its place to those who catch it, so Node is asked
 * to parse the file again, without running it; an error in a file that this one imports stays without a place.
 */
export async function importStack(path: string, error: unknown): Promise<string> {
  // What Node says of TypeScript has a code, and its place.
  if (!(error instanceof SyntaxError) || 'code' in error) return ownStack(error)
  try {
    await promisify(execFile)(process.execPath, ['--check', path], { timeout: 10_000 })
    return ownStack(error)
  } catch (checked) {
    const { stderr } = checked as { stderr?: string }
    if (stderr === undefined || !stderr.includes('SyntaxError')) return ownStack(error)
    const end = stderr.search(/\n\s+at |\n\nNode\.js v/)
    return (end < 0 ? stderr : stderr.slice(0, end)).trim()
  }
}
