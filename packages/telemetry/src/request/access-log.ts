import type { Logger } from 'pino'
import { lineWriterOf } from '../log/logger.ts'
import { combinedLine } from './combined-line.ts'
import { accessFields } from './access-fields.ts'
import type { ObservedRequest } from './observed-request.ts'
import type { Outcome } from './outcome.ts'

/** What lines of the access log look like. */
export interface AccessLogOptions {
  /** As the logger has it (true), in the combined format of Apache and nginx, or no line at all (false). */
  format: boolean | 'combined'
  /** Lines have the queries of requests and referring pages. */
  query: boolean
}

/** Writes a line for one request. */
export type AccessLog = (record: ObservedRequest, outcome: Outcome) => void

/** Opens the access log of one thread; null where it is off, or its level (`info`) is. */
export function openAccessLog(logger: Logger, { format, query }: AccessLogOptions): AccessLog | null {
  if (format === false || !logger.isLevelEnabled('info')) return null
  const writer = lineWriterOf(logger)
  if (format === 'combined')
    return (record, outcome) => writer.writeLine(combinedLine(record, outcome, query, new Date()))
  return (record, outcome) => writer.writeFields('info', accessFields(record, outcome, query))
}
