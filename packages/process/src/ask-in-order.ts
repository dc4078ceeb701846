/**
 * Asks all of a list side by side, and gives their answers in its order, until the caller has heard enough: one that
 * takes its time holds up no other. Who is still asked then is told to stop.
 *
 * @param options.limit how many are asked at a time.
 */
export async function* askInOrder<Item, Answer>(
  items: readonly Item[],
  ask: (item: Item, signal: AbortSignal) => Promise<Answer>,
  { limit, signal }: { limit: number; signal?: AbortSignal },
): AsyncGenerator<[item: Item, answer: Answer]> {
  const stop = new AbortController()
  const either = signal === undefined ? stop.signal : AbortSignal.any([stop.signal, signal])
  const asked: Promise<Answer>[] = []
  try {
    for (const [at, item] of items.entries()) {
      for (const next of items.slice(asked.length, at + limit)) {
        const answer = ask(next, either)
        // Whoever is not waited for any more must not end the process.
        answer.catch(() => {})
        asked.push(answer)
      }
      yield [item, await asked[at]!]
    }
  } finally {
    stop.abort()
  }
}
