import type { ServerResponse } from 'node:http'
import { endOverdue } from './end-overdue.ts'
import { noteRefusal, refusals } from './refusal.ts'
import type { Refusal } from './refusal.ts'

/** Ends a response that is not out in time, whoever answers it; the connection ends with it. */
export function limitTotalTime(
  response: ServerResponse,
  totalMs: number,
  onRefusal: (refusal: Refusal) => void,
): void {
  const timer = setTimeout(() => {
    // A client that has yet to send its body keeps everyone waiting; else it is the answer that does.
    const refusal = response.req.complete ? refusals.overdue : refusals.overdueRequest
    noteRefusal(response, refusal)
    onRefusal(refusal)
    endOverdue(response, refusal.status)
  }, totalMs)
  response.once('close', () => clearTimeout(timer))
}
