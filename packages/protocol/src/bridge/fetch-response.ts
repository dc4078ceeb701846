import { describe, ProtocolError } from '../errors.ts'

/** Where a `Response` goes. */
export interface FetchOutput {
  /** True when the client is gone. */
  readonly closed: boolean
  /** `headers` are names and values in turn; `bodyLength` is -1 when the body's length is not known. */
  writeHead(status: number, headers: string[], bodyLength: number): Promise<void> | void
  write(chunk: Uint8Array): Promise<void>
  end(chunk?: Uint8Array): Promise<void> | void
}

/**
 * Sends a `Response`, as fast as the client takes it; stops the body's stream when the client is gone.
 * Throws `HAVN_ERR_FETCH_RESPONSE` for what is none.
 */
export async function sendFetchResponse(
  response: Response,
  output: FetchOutput,
  isHead: boolean,
): Promise<void> {
  ensureResponse(response)
  const headers: string[] = []
  response.headers.forEach((value, name) => void headers.push(name, value))
  if (response.body === null || isHead) {
    await response.body?.cancel()
    await output.writeHead(response.status, headers, isHead ? -1 : 0)
    return output.end()
  }
  const reader = response.body.getReader()
  let finished = false
  try {
    const first = await reader.read()
    let next = first.done ? undefined : read(reader)
    if (next !== undefined && !next.settled) await settle()
    const whole = first.done || (next?.result?.done ?? false)
    await output.writeHead(response.status, headers, whole ? (first.value?.byteLength ?? 0) : -1)
    if (whole) {
      finished = true
      return await output.end(first.value)
    }
    await output.write(toBytes(first.value))
    while (!output.closed) {
      const step = await next!.promise
      if (step.done) {
        finished = true
        return await output.end()
      }
      next = read(reader)
      await output.write(toBytes(step.value))
    }
  } finally {
    if (!finished) reader.cancel().catch(() => {})
  }
}

type ReadResult = Awaited<ReturnType<ReadableStreamDefaultReader<Uint8Array>['read']>>

interface PendingRead {
  promise: Promise<ReadResult>
  settled: boolean
  result?: ReadResult
}

/** Reads ahead by one part: a body of a single part is then known to be whole, and gets a Content-Length. */
function read(reader: ReadableStreamDefaultReader<Uint8Array>): PendingRead {
  const pending: PendingRead = { promise: reader.read(), settled: false }
  pending.promise.then(
    (result) => {
      pending.settled = true
      pending.result = result
    },
    () => {
      pending.settled = true
    },
  )
  return pending
}

/** A few microtasks: enough for the stream of a string or a buffer to say that it ended; a real stream takes longer. */
async function settle(): Promise<void> {
  for (let count = 0; count < 4; count++) await null
}

function toBytes(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk
  throw new ProtocolError(
    'HAVN_ERR_FETCH_RESPONSE',
    `its body has a part that is no bytes: ${describe(chunk)}`,
  )
}

/** A `Response`, of this realm or of another implementation. */
export function ensureResponse(response: unknown): asserts response is Response {
  const isResponse =
    typeof response === 'object' && response !== null && 'status' in response && 'headers' in response
  if (!isResponse || !('body' in response)) {
    throw new ProtocolError('HAVN_ERR_FETCH_RESPONSE', describe(response))
  }
  if (response.status === 0) throw new ProtocolError('HAVN_ERR_FETCH_RESPONSE', 'got Response.error()')
}
