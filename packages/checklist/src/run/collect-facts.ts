import { setTimeout as sleep } from 'node:timers/promises'
import type { CheckRule, Fact, FactContext } from '@havn/plugin-api'

/** What became of collecting one fact. */
export type Collected =
  { type: 'value'; value: unknown } | { type: 'missing' } | { type: 'failed'; error: unknown }

/** Collects what these rules need, each fact once, all at a time. Facts are known by their ids. */
export async function collectFacts(
  rules: readonly CheckRule[],
  context: FactContext,
  timeoutMs: number,
): Promise<ReadonlyMap<string, Collected>> {
  const running = new Map<string, Promise<unknown>>()
  const get = <Value>(fact: Fact<Value>): Promise<Value | null> => {
    let value = running.get(fact.id)
    if (value === undefined) {
      value = withTimeout(timeoutMs, context.signal, (signal) => fact.collect({ ...context, signal, get }))
      running.set(fact.id, value)
    }
    return value as Promise<Value | null>
  }

  const wanted = new Map<string, Fact>()
  for (const { needs } of rules) for (const fact of Object.values(needs)) wanted.set(fact.id, fact)
  const entries = [...wanted.values()].map(async (fact) => [fact.id, await settle(get(fact))] as const)
  return new Map(await Promise.all(entries))
}

async function settle(value: Promise<unknown>): Promise<Collected> {
  try {
    const known = await value
    return known === null ? { type: 'missing' } : { type: 'value', value: known }
  } catch (error) {
    return { type: 'failed', error }
  }
}

/** Rejects when `run` has not ended in time, whether it hears its signal or not. */
export async function withTimeout<Value>(
  timeoutMs: number,
  outer: AbortSignal,
  run: (signal: AbortSignal) => Value | Promise<Value>,
): Promise<Value> {
  const over = new AbortController()
  const signal = AbortSignal.any([outer, over.signal])
  const late = sleep(timeoutMs, null, { signal }).then(() => {
    const error = new Error(`It took longer than ${timeoutMs} ms`)
    over.abort(error)
    throw error
  })
  try {
    return await Promise.race([Promise.resolve(run(signal)), late])
  } finally {
    over.abort()
    late.catch(() => {})
  }
}
