/** What a client is told when no server answered its request. */
export interface Failure {
  readonly status: 502 | 503 | 504
  /** Seconds, with a 503. */
  readonly retryAfterS?: number
}

/** What an attempt's error means to the client. */
export function toFailure({ code }: NodeJS.ErrnoException): Failure {
  if (code === 'ETIMEDOUT') return { status: 504 }
  return code === 'EBUSY' ? { status: 503, retryAfterS: 1 } : { status: 502 }
}

/** Headers that go with a failure, for whoever answers it. */
export function failureHeaders({ retryAfterS }: Failure): Record<string, string> {
  return retryAfterS === undefined ? {} : { 'Retry-After': String(retryAfterS) }
}
