import { ownStack } from '../host/own-stack.ts'
import type { LastWords } from './messages.ts'

/**
 * Reports why this thread, or the process that it is, ends by the app's doing: an error that nobody caught, with
 * its stack, or `process.exit()`, with the stack of who called it.
 */
export function reportLastWords(report: (words: LastWords) => void): void {
  let spoken = false

  function say(reason: LastWords['reason'], message: string, stack: string): void {
    if (spoken) return
    spoken = true
    report({ reason, message, stack })
  }

  process.on('uncaughtExceptionMonitor', (error: unknown, origin) => {
    const message = error instanceof Error ? error.message : String(error)
    say(
      'uncaught',
      origin === 'unhandledRejection' ? `unhandled rejection: ${message}` : message,
      ownStack(error),
    )
  })
  process.on('exit', (code) => {
    const trace = new Error(`process.exit(${code})`)
    Error.captureStackTrace(trace)
    say('exit', trace.message, ownStack(trace))
  })
}
