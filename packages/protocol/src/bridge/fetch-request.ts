/** A body that is pulled a part at a time, and only when the handler reads it. */
export interface BodySource {
  /** The next part; null at the end. Rejects when the client is gone. */
  next(): Promise<Uint8Array | null>
}

/** What a `Request` is made of. */
export interface FetchRequestParts {
  method: string
  /** Absolute. */
  url: string
  /** Names and values in turn. */
  headers: readonly string[]
  body: BodySource | null
  signal: AbortSignal
}

/** Fields that `Headers` of a `Request` does not take, or that describe the connection. */
const dropped = /^(?:connection|keep-alive|proxy-connection|te|trailer|transfer-encoding|upgrade)$/i

/**
 * Makes the `Request` that a fetch handler gets. Its body streams; a GET or HEAD has none (Fetch, Request class).
 * Undefined for what the Fetch standard has no request for: the method TRACE, a Host that is none.
 */
export function createFetchRequest(parts: FetchRequestParts): Request | undefined {
  const { method, url, headers, body, signal } = parts
  const list: [string, string][] = []
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index]!
    if (!dropped.test(name)) list.push([name, headers[index + 1]!])
  }
  const init: RequestInit & { duplex?: 'half' } = { method, headers: list, signal }
  if (body !== null && method !== 'GET' && method !== 'HEAD') {
    init.body = toStream(body)
    init.duplex = 'half'
  }
  try {
    return new Request(url, init)
  } catch {
    return undefined
  }
}

function toStream(body: BodySource): ReadableStream<Uint8Array> {
  return new ReadableStream(
    {
      async pull(controller) {
        const chunk = await body.next()
        if (chunk === null) controller.close()
        else controller.enqueue(chunk)
      },
    },
    { highWaterMark: 0 },
  )
}
