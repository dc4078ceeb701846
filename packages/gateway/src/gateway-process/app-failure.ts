import { HavnError, isErrorCode } from '@havn/model/errors'
import { describeExit } from '@havn/process'
import { errors } from '../errors.ts'
import type { FailedMessage } from '../frames/index.ts'
import { hostErrors } from '../host/errors.ts'

/** The error for a host's FAILED frame; the app's own traceback is its detail. */
export function toAppError(target: string, { reason, message, traceback }: FailedMessage): HavnError {
  const extras = traceback === '' ? {} : { detail: traceback.trimEnd() }
  switch (reason) {
    case 'import':
      return hostErrors.HAVN_ERR_APP_IMPORT({ file: target, reason: message }, extras)
    case 'attribute':
      return errors.HAVN_ERR_APP_ATTRIBUTE({ message }, extras)
    case 'factory':
      return errors.HAVN_ERR_APP_FACTORY({ message }, extras)
    case 'lifespan':
      return hostErrors.HAVN_ERR_APP_LIFESPAN({ reason: message }, extras)
    case 'not-callable':
      return new HavnError({
        code: 'HAVN_ERR_APP_NOT_CALLABLE',
        kind: 'user',
        // The host's sentence says more than the target and its type would.
        message,
        hint: 'Name a callable that takes what the interface passes, or choose the other interface.',
        ...extras,
      })
  }
}

/** What a failed start of a worker means for its app; errors of other kinds stay as they are. */
export function toStartError(
  error: unknown,
  seen: {
    target: string
    timeoutMs: number
    end: { code: number | null; signal: string | null } | null
    output: string
  },
): unknown {
  const { target, timeoutMs, end, output } = seen
  const extras = output === '' ? {} : { detail: output }
  if (isErrorCode(error, 'HAVN_ERR_PROCESS_NOT_READY')) {
    return errors.HAVN_ERR_APP_START_TIMEOUT({ target, timeoutMs }, extras)
  }
  if (isErrorCode(error, 'HAVN_ERR_PROCESS_DIED') && end !== null) {
    return errors.HAVN_ERR_APP_DIED({ target, end: describeExit(end) }, extras)
  }
  return error
}
