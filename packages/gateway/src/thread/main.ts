import { errors } from '../errors.ts'
import { toErrorJson } from '@havn/model/errors'
import { reportLastWords } from './last-words.ts'
import type { ThreadInput, ThreadReport } from './messages.ts'

/**
 * The task of a gateway thread: lasts as long as the thread serves. Everything else is imported after the thread
 * modules, so that an instrumentation sees it load.
 */
export default async function serve(input: ThreadInput): Promise<void> {
  const { port, config } = input
  reportLastWords((words) => port.postMessage({ type: 'last-words', words }))
  try {
    for (const module of config.threadModules) await importThreadModule(module)
    const { runThread } = await import('./run-thread.ts')
    await runThread(input)
  } catch (error) {
    const report: ThreadReport = { type: 'failed', error: toErrorJson(error) }
    port.postMessage(report)
  } finally {
    port.close()
  }
}

async function importThreadModule(module: string): Promise<void> {
  try {
    await import(module)
  } catch (cause) {
    const { message, stack } = cause as Error
    throw errors.HAVN_ERR_GATEWAY_THREAD_MODULE({ module, reason: message }, { cause, detail: stack })
  }
}
