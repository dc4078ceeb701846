import type { PluginLogger } from '@havn/plugin-api'
import type { RequestRecord } from '@havn/telemetry'
import { hostErrors } from './errors.ts'
import { ownStack } from './own-stack.ts'

/** Logs what an app threw at a request, and notes it in the request's record. */
export function reportAppError(
  logger: PluginLogger,
  error: unknown,
  record: Pick<RequestRecord, 'id' | 'error'> | undefined,
): void {
  const reason = error instanceof Error ? error.message : String(error)
  const known = hostErrors.HAVN_ERR_APP_THREW({ reason }, { cause: error, detail: ownStack(error) })
  if (record !== undefined) record.error = known.code
  const { code, hint, detail, message } = known
  logger.error({ code, request: record?.id, hint, detail }, message)
}
