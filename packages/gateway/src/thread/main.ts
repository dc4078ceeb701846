import { toErrorJson } from '@havn/model/errors'
import { reportLastWords } from './last-words.ts'
import type { ThreadInput, ThreadReport } from './messages.ts'
import { importThreadModules } from './thread-modules.ts'

/**
 * The task of a gateway thread: lasts as long as the thread serves. Everything else is imported after the thread
 * modules, so that an instrumentation sees it load.
 */
export default async function serve(input: ThreadInput): Promise<void> {
  const { port, config } = input
  reportLastWords((words) => port.postMessage({ type: 'last-words', words }))
  try {
    await importThreadModules(config.threadModules)
    const { runThread } = await import('./run-thread.ts')
    await runThread(input)
  } catch (error) {
    const report: ThreadReport = { type: 'failed', error: toErrorJson(error) }
    port.postMessage(report)
  } finally {
    port.close()
  }
}
