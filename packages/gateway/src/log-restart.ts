import { toErrorJson } from '@havn/model/errors'
import type { SupervisedEvent } from '@havn/process'
import type { Logger } from '@havn/telemetry'
import { errors } from './errors.ts'

/** So many deaths in a row are no accident. */
const LOOP_FAILURES = 5

/** Logs that a process is started again; once it is a loop, as an error that says what to do. */
export function logRestart(
  logger: Logger,
  { delayMs, restarts, failures }: Extract<SupervisedEvent, { type: 'restarting' }>,
  { name, fields = {} }: { name: string; fields?: object },
): void {
  if (failures < LOOP_FAILURES) {
    logger.warn({ ...fields, delayMs, restarts }, `${name} is started again`)
    return
  }
  const error = errors.HAVN_ERR_GATEWAY_CRASH_LOOP({ name, failures, delayMs })
  logger.error(
    { event: 'process.crash-loop', ...fields, delayMs, restarts, failures, err: toErrorJson(error) },
    `${name} does not stay up`,
  )
}
