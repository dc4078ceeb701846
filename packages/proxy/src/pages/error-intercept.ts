import type { ServerResponse } from 'node:http'
import { Transform } from 'node:stream'
import { dressAsError, isGrpc } from '@havn/http'
import type { EdgeErrors } from '@havn/model'
import { filterResponse } from '../response/response-filter.ts'

/** Puts our own page in the place of errors that the app or an upstream answers. */
export class ErrorIntercept {
  readonly #statuses: ReadonlySet<number>

  private constructor(statuses: readonly number[]) {
    this.#statuses = new Set(statuses)
  }

  /** Null where all answers go out as they are. */
  static create({ intercept }: EdgeErrors): ErrorIntercept | null {
    return intercept.length === 0 ? null : new ErrorIntercept(intercept)
  }

  /** To be called before whoever answers has the response. */
  attach(response: ServerResponse): void {
    filterResponse(response, (status) => {
      if (!this.#statuses.has(status) || isGrpc(response.req)) return null
      const page = dressAsError(response, status)
      return response.req.method === 'HEAD' ? null : { stream: inPlaceOfBody(page) }
    })
  }
}

/** Gives the page at once, and takes what comes in its place to nowhere. */
function inPlaceOfBody(page: string | Buffer): Transform {
  const stream = new Transform({
    transform: (_chunk, _encoding, done) => done(),
  })
  stream.push(page)
  return stream
}
