/** The size of a body whose length is not known before its end: chunked coding. */
export const unknownSize = -1

/**
 * The size of a request's body by its framing (RFC 9112 §6.3): 0 for none, {@link unknownSize} for chunked.
 * The parser has refused contradictions and malformed lengths. Reads raw headers, since `headers` is built anew
 * for each request that asks for it.
 */
export function requestBodySize(rawHeaders: readonly string[]): number {
  for (let n = 0; n < rawHeaders.length; n += 2) {
    const { length } = rawHeaders[n] as string
    if (length === 14) {
      if ((rawHeaders[n] as string).toLowerCase() === 'content-length') return Number(rawHeaders[n + 1])
    } else if (length === 17 && (rawHeaders[n] as string).toLowerCase() === 'transfer-encoding') {
      return unknownSize
    }
  }
  return 0
}
