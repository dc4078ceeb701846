import { STATUS_CODES } from 'node:http'
import type { ServerResponse } from 'node:http'
import { filterResponse } from './response-filter.ts'
import type { ResponseTap } from './response-tap.ts'

/** Shows a tap what is written to a response, as its writer writes it: before any filter that was put there earlier. */
export function tapResponse(response: ServerResponse, tap: ResponseTap): void {
  let isOver = false
  filterResponse(response, (status) => {
    tap.onHead(status, response.statusMessage || (STATUS_CODES[status] ?? ''), headersOf(response))
    return null
  })
  const write = response.write.bind(response) as (
    chunk: unknown,
    encoding?: unknown,
    done?: unknown,
  ) => boolean
  const end = response.end.bind(response) as (chunk?: unknown, encoding?: unknown, done?: unknown) => unknown

  response.write = function (chunk: unknown, encoding?: unknown, done?: unknown) {
    const taken = write(chunk, encoding, done)
    if (!isOver) show(tap, chunk, encoding)
    return taken || (!isOver && tap.takesAll)
  } as ServerResponse['write']

  response.end = function (chunk?: unknown, encoding?: unknown, done?: unknown) {
    const isFirst = !isOver && !response.writableEnded
    end(chunk, encoding, done)
    if (isFirst) {
      isOver = true
      if (typeof chunk !== 'function') show(tap, chunk, encoding)
      tap.onEnd()
    }
    return response
  } as ServerResponse['end']

  response.once('close', () => {
    if (isOver) return
    isOver = true
    tap.onAbort()
  })
}

function show(tap: ResponseTap, chunk: unknown, encoding: unknown): void {
  if (typeof chunk === 'string' && chunk !== '')
    tap.onChunk(Buffer.from(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8'))
  // Whoever wrote it may fill its buffer anew.
  else if (chunk instanceof Uint8Array && chunk.length > 0) tap.onChunk(Buffer.from(chunk))
}

/** Node has it since 15.4 for all outgoing messages; its types only for requests. */
interface RawNames {
  getRawHeaderNames(): string[]
}

function headersOf(response: ServerResponse): string[] {
  const headers: string[] = []
  for (const name of (response as unknown as RawNames).getRawHeaderNames()) {
    const value = response.getHeader(name)!
    for (const one of Array.isArray(value) ? value : [value]) headers.push(name, String(one))
  }
  return headers
}
