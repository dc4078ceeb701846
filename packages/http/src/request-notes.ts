/** What whoever handles a request tells the access log of it: each sets what it knows, until the response has ended. */
export interface RequestNotes {
  /** The route's name. */
  route?: string
  /** The upstream's name. */
  upstream?: string
  /** The address of the upstream's server that the request was sent to last. */
  server?: string
  /** Milliseconds from its sending to that server to the beginning of the response. */
  upstreamMs?: number
  /** A file answered it. */
  isStatic?: boolean
  /** What a response cache did with it, in one word. */
  cache?: string
  /** Why it was refused, in one word: what a listener or an edge does to keep its limits. */
  refused?: string
  /** What failed, for `error.type`: an error's code. */
  error?: string
  /** Of an answer that went out without a ServerResponse, set by who wrote it: to an Upgrade, at a deadline. */
  status?: number
}
