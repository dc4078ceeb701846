import type { HavnError } from '@havn/model/errors'
import type { Refusal } from '../dispatch/dispatcher.ts'
import { hostErrors } from './errors.ts'
import type { StreamContext } from './stream-context.ts'

/** Seconds after which a client may try again when no worker had room. */
export const retryAfterS = 1

/** Why the queue did not take a request, as the error that goes to the log. */
export function refusalError(
  why: Refusal,
  { limits }: Pick<StreamContext, 'limits'>,
  timeoutMs: number,
): HavnError {
  if (why === 'full') return hostErrors.HAVN_ERR_QUEUE_FULL({ limit: limits.maxQueue })
  if (why === 'timeout') return hostErrors.HAVN_ERR_QUEUE_TIMEOUT({ timeoutMs })
  return hostErrors.HAVN_ERR_HOST_CLOSED({})
}

const codes = ['HAVN_ERR_QUEUE_FULL', 'HAVN_ERR_QUEUE_TIMEOUT', 'HAVN_ERR_HOST_CLOSED']

/** True for what befalls many requests at once, and is no fault of any of them. */
export function isOverload(error: HavnError): boolean {
  return codes.includes(error.code)
}
