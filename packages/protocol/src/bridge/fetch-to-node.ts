import type { ServerResponse } from 'node:http'
import { ProtocolError } from '../errors.ts'
import { toFetchHandler, type FetchHandler, type FetchObject } from '../fetch.ts'
import { NodeBody } from '../node/body.ts'
import { NodeOutput } from '../node/output.ts'
import { toNodeTarget, type NodeTarget } from '../node/target.ts'
import type { NodeHandlers } from './asgi-to-node.ts'
import { createFetchRequest, type BodySource } from './fetch-request.ts'
import { sendFetchResponse } from './fetch-response.ts'
import { reportToConsole, type ErrorReporter } from './report.ts'

/** How a fetch handler is served. */
export interface FetchToNodeOptions {
  /** Is told of what the handler throws and does wrong; the default writes to the console. */
  onError?: ErrorReporter
}

/**
 * Serves a fetch handler on node:http, streaming both ways. `request.signal` is aborted when the client goes
 * before the response is complete.
 *
 * @example
 * createServer(fetchToNode(() => new Response('Hello, World!\n'))).listen(8000)
 */
export function fetchToNode(
  handler: FetchHandler | FetchObject,
  options: FetchToNodeOptions = {},
): NodeHandlers['onRequest'] {
  const handle = toFetchHandler(handler)
  const onError = options.onError ?? reportToConsole

  return async (request, response, target = toNodeTarget(request)) => {
    const output = new NodeOutput(request, response)
    const gone = new AbortController()
    const abort = (): void => {
      if (!response.writableFinished) gone.abort()
    }
    response.once('close', abort)
    try {
      const method = request.method ?? 'GET'
      const fetchRequest = createFetchRequest({
        method,
        url: urlOf(target),
        headers: target.headers,
        body: toBodySource(new NodeBody(request, response), response),
        signal: gone.signal,
      })
      if (fetchRequest === undefined) return output.fail(400, 'Bad Request')
      await sendFetchResponse(await handle(fetchRequest), output, method === 'HEAD')
    } catch (error) {
      if (!gone.signal.aborted) onError(error, request)
      output.fail(500, 'Internal Server Error')
    }
  }
}

function urlOf({ scheme, host, path, query }: NodeTarget): string {
  return `${scheme}://${host === '' ? 'localhost' : host}${path}${query === '' ? '' : `?${query}`}`
}

function toBodySource(body: NodeBody, response: ServerResponse): BodySource | null {
  if (body.done) return null
  return {
    async next() {
      for (;;) {
        const chunk = body.done ? null : body.read()
        if (chunk !== null || body.done) return chunk
        if (response.destroyed) throw new ProtocolError('HAVN_ERR_ASGI_DISCONNECTED', 'reading the body')
        await body.wait()
      }
    },
  }
}
