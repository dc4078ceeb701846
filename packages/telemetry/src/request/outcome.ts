/** How a request ended. */
export interface Outcome {
  /** The status that was sent; 499 when the client left before there was one; undefined when we sent none. */
  status: number | undefined
  durationMs: number
  /** The connection ended before the response did. */
  aborted: boolean
  /** Bytes written to the connection, head and body. */
  bytes?: number
  /** What failed on our side: an error code. */
  error: string | undefined
}
