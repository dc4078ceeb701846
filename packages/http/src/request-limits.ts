/** Limits of one request, in the place of its listener's; what is left out is as the listener has it. */
export interface RequestLimits {
  /** 413 beyond it: by Content-Length here, chunked bodies by whoever reads them. */
  maxBodyBytes?: number | undefined
  /** 414 beyond it; never more than the whole head may have. */
  maxTargetBytes?: number | undefined
  /**
   * From the end of its head to the last byte of its answer; 0 is no limit. Beyond it a request whose body is not whole
   * gets a 408, another one a 504, and an answer that has begun is cut off.
   */
  totalMs?: number | undefined
}
