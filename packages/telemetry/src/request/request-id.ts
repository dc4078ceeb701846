import { randomBytes } from 'node:crypto'

/** Long enough for UUIDs, ULIDs and every proxy's own ids; short enough for a log line. */
const REQUEST_ID = /^[A-Za-z0-9._~+/=:@-]{1,128}$/

/** True for an `x-request-id` that is safe in headers and logs. */
export function isRequestId(text: string): boolean {
  return REQUEST_ID.test(text)
}

/**
 * Makes ids that are unique over threads, processes and machines at the price of a counter: 64 random bits once,
 * then a number. They name requests and are no secret.
 */
export function createRequestIds(): () => string {
  const prefix = randomBytes(8).toString('hex')
  let count = 0
  return () => `${prefix}-${(++count).toString(36)}`
}
