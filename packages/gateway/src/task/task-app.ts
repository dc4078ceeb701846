import { createDetachedSocket, sendError } from '@havn/http'
import { closeLogger, createLogger, runThreadShutdown } from '@havn/telemetry'
import type { GatewayConfig } from '../config/gateway-config.ts'
import { reportAppError } from '../host/app-error.ts'
import { hostErrors } from '../host/errors.ts'
import { loadJsApp } from '../host/js-app.ts'
import { createJsHandlers } from '../host/js-handlers.ts'
import { cleanRequest, withTrace } from '../host/request-cleaning.ts'
import type { TaskRequest, TaskResult } from './messages.ts'
import { RecordedRequest } from './recorded-request.ts'
import { RecordedResponse } from './recorded-response.ts'

/** Span exporters and their like may take this long at the end of a thread. */
const shutdownMs = 2_000

/** An app in a thread of its own, that is given whole requests. */
export interface TaskApp {
  answer(task: TaskRequest): Promise<TaskResult>
  /** Ends what the app and the thread modules started. */
  end(): Promise<void>
}

/**
 * Loads the app in this thread.
 *
 * @throws HAVN_ERR_APP_IMPORT, HAVN_ERR_APP_NOT_CALLABLE, HAVN_ERR_APP_DISPATCH
 */
export async function createTaskApp(config: GatewayConfig): Promise<TaskApp> {
  if (config.app.language !== 'node') throw new TypeError('The app is not a JavaScript app.')
  const app = await loadJsApp(config.app)
  if (app.interface === 'asgi') throw hostErrors.HAVN_ERR_APP_DISPATCH({ interface: 'ASGI' })
  const logger = createLogger({ name: 'gateway', ...config.log })
  const report = (error: unknown, request: object) =>
    reportAppError(logger, error, request instanceof RecordedRequest ? request.record : undefined)
  const handlers = await createJsHandlers({ app, config, onError: report })

  function fail(error: unknown, request: RecordedRequest, response: RecordedResponse): void {
    report(error, request)
    if (!response.writableEnded && !response.destroyed) sendError(response, 500)
  }

  async function call(request: RecordedRequest, response: RecordedResponse, task: TaskRequest) {
    const { target } = task
    const { record } = request
    if (!handlers.raw) return await handlers.onRequest(request, response, withTrace(target, record))
    cleanRequest(request, target, record)
    await handlers.onRequest(request, response)
  }

  return {
    async answer(task) {
      const { remoteAddress, remotePort, target } = task
      const socket = createDetachedSocket({ remoteAddress, remotePort, encrypted: target.scheme === 'https' })
      const request = new RecordedRequest(task, socket)
      const response = new RecordedResponse(request)
      // What an app does after its response keeps nobody waiting, as with any server.
      call(request, response, task).catch((error: unknown) => fail(error, request, response))
      const recorded = await response.recorded
      request.closeFile()
      const { error } = request.record
      return { response: recorded, ...(error !== undefined && { error }) }
    },

    async end() {
      await handlers.shutdown()
      for (const error of await runThreadShutdown(shutdownMs)) {
        logger.warn({ err: error }, 'a part of this thread did not end well')
      }
      await closeLogger(logger)
    },
  }
}
