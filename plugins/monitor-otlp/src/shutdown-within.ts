/**
 * Ends an SDK, which sends what waits, but gives up on a collector that does not take it: a thread's end must not
 * hang on it. `giveUp` is called then; it never rejects.
 */
export async function shutdownWithin(
  sdk: { shutdown(): Promise<void> },
  timeoutMs: number,
  giveUp: (why: string) => void,
): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(() => {
      giveUp(`the last spans were not taken within ${timeoutMs} ms`)
      resolve()
    }, timeoutMs)
  })
  const ended = sdk.shutdown().catch((error: unknown) => giveUp(String(error)))
  await Promise.race([ended, timeout])
  clearTimeout(timer)
}
