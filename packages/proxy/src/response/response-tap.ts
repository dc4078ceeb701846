/** Sees a response on its way from who writes it to the client. */
export interface ResponseTap {
  /**
   * The final head, once.
   *
   * @param headers names and values in turn.
   */
  onHead(status: number, reason: string, headers: readonly string[]): void
  /** A piece of the body, which nobody writes to any more. */
  onChunk(chunk: Buffer): void
  /** It is whole. Nothing more comes. */
  onEnd(): void
  /** It will never be whole: its writer failed, or nobody takes it any more. Nothing more comes. */
  onAbort(): void
  /** The writer need not wait for the client: what it writes is kept in any case. */
  readonly takesAll: boolean
  /** Others wait for it, too: it may go on when its client has left. */
  readonly isAwaited: boolean
}
