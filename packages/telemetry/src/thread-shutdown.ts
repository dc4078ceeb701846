/**
 * Where functions to run at a thread's end are kept: on the thread's global object, under a registered symbol, so
 * that a bootstrap module with its own copy of this package, or with none, still reaches the same list.
 */
const THREAD_SHUTDOWN = Symbol.for('havn.threadShutdown')

type Shutdown = () => void | Promise<void>

/** Registers a function to run once at the end of this thread, after its last request: flush, then let go. */
export function onThreadShutdown(shutdown: Shutdown): void {
  shutdowns().push(shutdown)
}

/**
 * Runs and forgets all registered functions at once, and waits for them, but no longer than `timeoutMs`. A
 * function that fails does not keep the others from finishing. The end of a thread's drain calls it.
 *
 * @returns what failed, or took too long.
 */
export async function runThreadShutdown(timeoutMs: number): Promise<unknown[]> {
  const failures: unknown[] = []
  const running = shutdowns()
    .splice(0)
    .map(async (shutdown) => {
      try {
        await shutdown()
      } catch (error) {
        failures.push(error)
      }
    })
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(() => {
      failures.push(new Error(`the thread's shutdown took longer than ${timeoutMs} ms`))
      resolve()
    }, timeoutMs)
  })
  await Promise.race([Promise.all(running), timeout])
  clearTimeout(timer)
  return failures
}

function shutdowns(): Shutdown[] {
  const holder = globalThis as { [THREAD_SHUTDOWN]?: Shutdown[] }
  return (holder[THREAD_SHUTDOWN] ??= [])
}
