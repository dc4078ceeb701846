import { toErrorJson } from '@havn/model/errors'
import type { PluginLogger } from '@havn/plugin-api'
import type { Host } from '../host/host.ts'
import type { PythonHost } from '../host/python-host.ts'
import type { ThreadInput, ThreadReport, ThreadStatus } from './messages.ts'

/** A thread's host, and what it says of its workers. */
export interface ThreadHost {
  host: Host
  /** The host, where it has Python workers. */
  python: PythonHost | null
  status(): Pick<ThreadStatus, 'python'>
}

/** Creates what executes the app for this thread; only the host that is needed is loaded. */
export async function createThreadHost(
  input: ThreadInput,
  logger: PluginLogger,
  report: (report: ThreadReport) => void,
): Promise<ThreadHost> {
  const { config, counters, thread, socketPath, workers, runDirectory } = input
  if (config.app.language === 'python') {
    const { createPythonHost } = await import('../host/python-host.ts')
    const host = await createPythonHost({
      config: { ...config, runDirectory },
      socketPath,
      workers,
      counters,
      thread,
      logger,
      onWorkerReady: (worker, info) => report({ type: 'worker-ready', worker, info }),
      onWorkerFailed: (worker, failure, instance) =>
        report({ type: 'worker-failed', worker, instance, failure }),
      onWorkerGone: (worker, { pid, instance, error, inFlight, queued }) =>
        report({
          type: 'worker-gone',
          worker,
          instance,
          pid,
          inFlight,
          queued,
          ...(error && { error: toErrorJson(error) }),
        }),
      onWorkerStuck: (worker, stuck) => report({ type: 'worker-stuck', worker, ...stuck }),
      onWorkerSpent: (worker, instance) => report({ type: 'worker-spent', worker, instance }),
    })
    return { host, python: host, status: () => ({ python: host.status() }) }
  }
  if (config.app.language === 'node' && config.dispatch === 'task') {
    const { createTaskHost } = await import('../host/task-host.ts')
    const host = await createTaskHost({ config, counters, thread, logger, runDirectory })
    return { host, python: null, status: () => ({ python: null }) }
  }
  if (config.app.language === 'node') {
    const { createJsHost } = await import('../host/js-host.ts')
    return {
      host: await createJsHost({ config, counters, thread, logger }),
      python: null,
      status: () => ({ python: null }),
    }
  }
  const { createNoHost } = await import('../host/no-host.ts')
  return { host: createNoHost(), python: null, status: () => ({ python: null }) }
}
