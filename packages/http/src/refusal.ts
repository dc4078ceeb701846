import type { ServerResponse } from 'node:http'

/** Why the listener answers a request by itself: low in number, fit for a metric's attribute. */
export type RefusalReason =
  | 'body-too-large'
  | 'connect'
  | 'expectation'
  | 'headers-too-many'
  | 'headers-too-large'
  | 'host'
  | 'malformed'
  | 'method'
  | 'slow-client'
  | 'target'
  | 'target-too-long'
  | 'timeout'
  | 'total-time'
  | 'transfer-encoding'
  | 'upgrade'
  | 'version'

/** A request that the rules do not let through, and the status that says so. */
export interface Refusal {
  reason: RefusalReason
  status: number
}

export const refusals = {
  badHost: { reason: 'host', status: 400 },
  badMethod: { reason: 'method', status: 501 },
  badTarget: { reason: 'target', status: 400 },
  badTransferEncoding: { reason: 'transfer-encoding', status: 400 },
  badUpgrade: { reason: 'upgrade', status: 400 },
  badVersion: { reason: 'version', status: 400 },
  bodyTooLarge: { reason: 'body-too-large', status: 413 },
  connect: { reason: 'connect', status: 405 },
  expectation: { reason: 'expectation', status: 417 },
  headersTooLarge: { reason: 'headers-too-large', status: 431 },
  headersTooMany: { reason: 'headers-too-many', status: 431 },
  malformed: { reason: 'malformed', status: 400 },
  overdue: { reason: 'total-time', status: 504 },
  overdueRequest: { reason: 'total-time', status: 408 },
  slowClient: { reason: 'slow-client', status: 408 },
  targetTooLong: { reason: 'target-too-long', status: 414 },
  timeout: { reason: 'timeout', status: 408 },
  unknownTransferCoding: { reason: 'transfer-encoding', status: 501 },
  unsupportedVersion: { reason: 'version', status: 505 },
} as const satisfies Record<string, Refusal>

const key = Symbol('havn.refusal')
type RefusedResponse = ServerResponse & { [key]?: Refusal }

/** Leaves with a response why it was refused, or cut off, by its listener. */
export function noteRefusal(response: ServerResponse, refusal: Refusal): void {
  ;(response as RefusedResponse)[key] = refusal
}

/** Why a response was refused, or cut off, by its listener. */
export function refusalOf(response: ServerResponse): Refusal | undefined {
  return (response as RefusedResponse)[key]
}

export function isRefusal(value: object): value is Refusal {
  return 'reason' in value
}
