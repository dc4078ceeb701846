import type { RequestTarget } from '@havn/http'
import type { CacheOutcome } from '@havn/plugin-api'
import type { ResponseTap } from '../response/response-tap.ts'
import type { Peer } from './detached-exchange.ts'
import type { StoredAnswer } from './stored-answer.ts'

/** A request that the cache decides about, however it came. */
export interface Visitor {
  readonly target: RequestTarget
  readonly peer: Peer
  readonly hasBody: boolean
  /** Its client has left. */
  readonly isGone: boolean
  /** Calls back when its client leaves, until what is returned is called. */
  whenGone(listener: () => void): () => void
  /** Calls back once what was sent is with its client, or the client has left; not before it is passed. */
  whenDone(listener: () => void): void
  note(outcome: CacheOutcome): void
  answer(answer: StoredAnswer): void
  /** It goes to the origin. With a status, that is added to the response. */
  pass(tap: ResponseTap | null, cacheStatus: string | null): void
  refuse(status: number): void
  /** Something went wrong that nobody else can be told. */
  fail(error: unknown): void
}
