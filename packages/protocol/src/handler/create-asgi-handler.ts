import type { AsgiApp, Receive, Send } from '../asgi/events.ts'
import type { AsgiHeader } from '../asgi/scope.ts'
import { isDisconnected, ProtocolError } from '../errors.ts'
import { environOfScope } from '../wsgi/environ.ts'
import { SpooledBody } from '../wsgi/spooled-body.ts'
import type { Bytes, FileLike } from '../wsgi/types.ts'
import { toResponder, type HandlerOptions } from './create-wsgi-handler.ts'
import { createChain } from './middleware.ts'
import { requestOfScope } from './request.ts'
import { headersOf, isWhole, toBytes } from './response.ts'
import { withScriptPrefix } from './script-prefix.ts'
import { createSignals, type Content, type HandlerResponse } from './types.ts'

/** Content goes out in events of at most this many bytes. */
const chunkBytes = 64 * 1024

/** What a framework gives to become an ASGI app. */
export interface AsgiHandlerOptions extends HandlerOptions {
  /** `getResponse` returns promises without being declared `async`. */
  viewIsAsync?: boolean
  /** A request's body lies in memory up to this, then in a file without a name. 512 KiB by default. */
  bodyMemoryBytes?: number
}

/**
 * Makes an ASGI app of a framework, as Django's `ASGIHandler` does: http only; the body is read whole first; the
 * middleware chain may mix sync and async layers; a client that goes aborts `request.signal`; content is sent in
 * events of at most 64 KiB; whatever happens the response is closed and requestFinished is sent.
 *
 * @example
 * export default defineAsgi(createAsgiHandler({ getResponse: async () => ({ status: 200, content: 'Hello' }) }))
 */
export function createAsgiHandler(options: AsgiHandlerOptions): AsgiApp {
  const { getResponse, viewIsAsync, middleware = [], forceScriptName } = options
  const signals = options.signals ?? createSignals()
  const chain = createChain({
    getResponse,
    viewIsAsync,
    middleware,
    respondTo: toResponder(options, signals),
  })

  return async (scope, receive, send) => {
    if (scope.type !== 'http') {
      throw new ProtocolError(
        'HAVN_ERR_ASGI_SCOPE_UNSUPPORTED',
        `a framework's handler got the scope ${scope.type}`,
      )
    }
    const body = new SpooledBody(options.bodyMemoryBytes)
    try {
      if (!(await readBody(receive, body))) return
      await withScriptPrefix(forceScriptName ?? scope.root_path ?? '', async () => {
        await signals.requestStarted.sendAsync({ scope })
        const gone = new AbortController()
        const answered = { value: false }
        void watch(receive, () => answered.value || gone.abort())
        const settings = { input: body.toInputStream(), bodyLength: body.length, rootPath: scope.root_path }
        const meta = environOfScope(scope, settings)
        const request = requestOfScope(scope, meta, gone.signal, forceScriptName)
        try {
          const response = await chain.handler(request)
          try {
            if (!gone.signal.aborted) await sendResponse(response, send)
            answered.value = true
          } finally {
            response.file?.close?.()
            response.close?.()
          }
        } catch (error) {
          if (!isDisconnected(error)) throw error
        } finally {
          await signals.requestFinished.sendAsync({ request })
        }
      })
    } finally {
      await body.close()
    }
  }
}

/** False when the client is gone before its body was complete. */
async function readBody(receive: Receive, body: SpooledBody): Promise<boolean> {
  for (;;) {
    const event = await receive()
    if (event.type !== 'http.request') return false
    if (event.body !== undefined && event.body.byteLength > 0) await body.append(event.body)
    if (event.more_body !== true) return true
  }
}

/** After the body nothing but the disconnect can come. */
async function watch(receive: Receive, onDisconnect: () => void): Promise<void> {
  try {
    await receive()
    onDisconnect()
  } catch {
    // A receive that fails tells nothing of the client.
  }
}

async function sendResponse(response: HandlerResponse, send: Send): Promise<void> {
  const headers: AsgiHeader[] = headersOf(response).map(([name, value]) => [
    Buffer.from(name.toLowerCase(), 'latin1'),
    Buffer.from(value, 'latin1'),
  ])
  await send({ type: 'http.response.start', status: response.status, headers })
  const { file, content } = response
  if (file === undefined && isWhole(content)) return sendWhole(toBytes(content ?? ''), send)
  // `for await` takes sync iterables too, and runs the iterator's `finally` when the client is gone.
  for await (const part of file === undefined ? (content as Iterable<Content>) : blocks(file)) {
    for (const chunk of chunks(toBytes(part))) {
      await send({ type: 'http.response.body', body: chunk, more_body: true })
    }
  }
  await send({ type: 'http.response.body' })
}

async function sendWhole(content: Bytes, send: Send): Promise<void> {
  let sent = 0
  do {
    const body = content.subarray(sent, sent + chunkBytes)
    sent += body.byteLength
    await send({ type: 'http.response.body', body, more_body: sent < content.byteLength })
  } while (sent < content.byteLength)
}

function* chunks(content: Bytes): Generator<Bytes> {
  for (let start = 0; start < content.byteLength; start += chunkBytes) {
    yield content.subarray(start, start + chunkBytes)
  }
}

function* blocks(file: FileLike): Generator<Bytes> {
  for (let block = file.read(chunkBytes); block.byteLength > 0; block = file.read(chunkBytes)) yield block
}
