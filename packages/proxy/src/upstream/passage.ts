import type { RequestTarget } from '@havn/http'
import type { EdgeNotes } from '@havn/plugin-api'
import type { Failure } from './failure.ts'
import type { UpstreamGroup } from './upstream-group.ts'
import type { UpstreamServer } from './upstream-server.ts'

export interface PassageOptions {
  group: UpstreamGroup
  /** What the upstream is asked for. */
  target: RequestTarget
  /** For the access log. */
  notes: EdgeNotes
  /** `Set-Cookie` of whoever chose the group. */
  groupCookie: string | null
}

/**
 * One request on its way through a group, from server to server if need be. The group decides where it goes; how it is
 * sent and answered is up to the subclass, which tells the group what becomes of each attempt.
 */
export abstract class Passage {
  readonly target: RequestTarget
  readonly notes: EdgeNotes
  readonly groupCookie: string | null
  /** That of the group, for the server that has it now. */
  serverCookie: string | null = null
  group: UpstreamGroup
  /** Who has it now. */
  server: UpstreamServer | null = null
  /** When that one got it, by `performance.now()`. */
  sentAt = 0
  /** Who failed to take it. */
  tried: UpstreamServer[] | null = null
  /** Attempts whose connection broke before a byte of an answer. */
  losses = 0
  /** The end of its time in line, by `performance.now()`; 0 before it ever stood there. */
  heldUntil = 0
  /** Its server's circuit waits for its outcome. */
  isProbe = false
  #isOver = false

  constructor({ group, target, notes, groupCookie }: PassageOptions) {
    this.group = group
    this.target = target
    this.notes = notes
    this.groupCookie = groupCookie
    group.enter()
  }

  /** Sent a second time it does no harm, and no answer to it has begun. */
  abstract readonly isRepeatable: boolean

  /** Sends it to the server; called again only after an attempt that left no trace, or does no harm twice. */
  abstract send(server: UpstreamServer): void

  /** No server is going to answer it. */
  abstract refuse(failure: Failure): void

  /** Nothing more is owed to its client, or the client has left. */
  protected leave(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.group.leave(this)
  }

  /** The response's headers with the cookies that are to be set; the same list when there are none. */
  protected withCookies(headers: readonly string[]): readonly string[] {
    const { groupCookie, serverCookie } = this
    if (groupCookie === null && serverCookie === null) return headers
    const all = [...headers]
    if (groupCookie !== null) all.push('Set-Cookie', groupCookie)
    if (serverCookie !== null) all.push('Set-Cookie', serverCookie)
    return all
  }
}
