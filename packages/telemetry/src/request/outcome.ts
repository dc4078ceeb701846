/** How a request ended. */
export interface Outcome {
  /** The status that was sent; 499 when the client left before there was one; undefined when we sent none. */
  status: number | undefined
  durationMs: number
  /** The connection ended before the response did. */
  aborted: boolean
  /** Bytes written to the connection, head and body. */
  bytes?: number
  /** Of these, the bytes of the head; 0 where it is not known. */
  headBytes?: number
  /** Bytes read from the connection, head and body. */
  bytesIn?: number
  /** What failed on our side: an error code. */
  error: string | undefined
}
