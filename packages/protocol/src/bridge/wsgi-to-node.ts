import type { ServerResponse } from 'node:http'
import type { ErrorStream, WsgiApp, WsgiHeader } from '../wsgi/types.ts'
import { NodeBody } from '../node/body.ts'
import { NodeOutput } from '../node/output.ts'
import { toNodeTarget } from '../node/target.ts'
import { createInputStream } from '../wsgi/byte-input.ts'
import { environOfTarget } from '../wsgi/environ.ts'
import { runWsgi, type WsgiOutput } from '../wsgi/run-wsgi.ts'
import { SpooledBody } from '../wsgi/spooled-body.ts'
import type { NodeHandlers } from './asgi-to-node.ts'
import { reportToConsole, type ErrorReporter } from './report.ts'

/** How a WSGI app is served. */
export interface WsgiToNodeOptions {
  /** Where the app is mounted: SCRIPT_NAME, as text. `/blog`, or empty. */
  rootPath?: string
  /** A request's body lies in memory up to this, then in a file without a name. 512 KiB by default. */
  bodyMemoryBytes?: number
  /** `wsgi.errors`; stderr by default. */
  errors?: ErrorStream
  /** Is told of what the app throws and does wrong; the default writes to the console. */
  onError?: ErrorReporter
}

/**
 * Serves a WSGI app on node:http. Each request is read whole before the app is called; the response streams, with
 * a turn of the event loop wherever the client is slow.
 *
 * @example
 * createServer(wsgiToNode(application)).listen(8000)
 */
export function wsgiToNode(app: WsgiApp, options: WsgiToNodeOptions = {}): NodeHandlers['onRequest'] {
  const { rootPath, errors, bodyMemoryBytes, onError = reportToConsole } = options

  return async (request, response, target = toNodeTarget(request)) => {
    const output = new NodeOutput(request, response)
    const source = new NodeBody(request, response)
    const body = source.done ? undefined : new SpooledBody(bodyMemoryBytes)
    try {
      if (body !== undefined) {
        for await (const chunk of source) await body.append(chunk)
        if (!source.done) return
      }
      const input = body === undefined ? createInputStream() : body.toInputStream()
      const settings = { input, bodyLength: body?.length ?? 0, errors, rootPath }
      const environ = environOfTarget(request.method ?? 'GET', target, settings)
      await runWsgi(app, environ, new NodeWsgiOutput(output, response))
    } catch (error) {
      onError(error, request)
      output.fail(500, 'Internal Server Error')
    } finally {
      await body?.close()
    }
  }
}

class NodeWsgiOutput implements WsgiOutput {
  readonly #output: NodeOutput
  readonly #response: ServerResponse

  constructor(output: NodeOutput, response: ServerResponse) {
    this.#output = output
    this.#response = response
  }

  get closed(): boolean {
    return this.#response.destroyed
  }

  writeHead(status: number, headers: readonly WsgiHeader[], bodyLength: number): void {
    this.#output.writeHead(status, headers.flat(), bodyLength)
  }

  write(chunk: Uint8Array): Promise<void> {
    return this.#output.write(chunk)
  }

  end(chunk?: Uint8Array): void {
    if (!this.closed) this.#output.end(chunk)
  }

  sendFile(fd: number, count: number | undefined): Promise<void> {
    return this.#output.writeFile({ fd, count })
  }
}
