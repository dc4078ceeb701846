import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { askInOrder } from './ask-in-order.ts'

describe('asking in order', () => {
  test('answers come in the order of the list, whoever is quicker', async () => {
    const heard: number[] = []
    const ask = async (ms: number) => (await sleep(ms), ms)
    for await (const [, answer] of askInOrder([5, 40, 1, 20], ask, { limit: 3 })) heard.push(answer)
    expect(heard).toEqual([5, 40, 1, 20])
  })

  test('never more than the limit are asked at a time', async () => {
    const asked: string[] = []
    let atOnce = 0
    let most = 0
    async function ask(item: string) {
      asked.push(item)
      most = Math.max(most, ++atOnce)
      await sleep(5)
      atOnce--
    }
    for await (const [item] of askInOrder(['a', 'b', 'c', 'd', 'e', 'f'], ask, { limit: 2 })) {
      if (item === 'a') expect(asked).toEqual(['a', 'b'])
    }
    expect(most).toBe(2)
    expect(asked).toHaveLength(6)
  })

  test('whoever is still asked is told to stop once the caller has heard enough, and may fail then', async () => {
    const stopped: string[] = []
    const ask = (item: string, signal: AbortSignal) =>
      item < 'c'
        ? Promise.resolve(item)
        : new Promise<string>((_, reject) =>
            signal.addEventListener('abort', () => {
              stopped.push(item)
              reject(new Error('stopped'))
            }),
          )
    for await (const [item] of askInOrder(['a', 'b', 'c', 'd', 'e'], ask, { limit: 3 }))
      if (item === 'b') break
    expect(stopped).toEqual(['c', 'd'])
  })

  test('a failure is told where its turn comes', async () => {
    const heard: string[] = []
    const ask = (item: string) => (item === 'b' ? Promise.reject(new Error('no')) : Promise.resolve(item))
    const all = async () => {
      for await (const [item] of askInOrder(['a', 'b', 'c'], ask, { limit: 2 })) heard.push(item)
    }
    await expect(all()).rejects.toThrow('no')
    expect(heard).toEqual(['a'])
  })

  test('the caller’s own signal reaches who is asked', async () => {
    const ask = (_: string, signal: AbortSignal) => Promise.resolve(signal.aborted)
    const answers = []
    for await (const answer of askInOrder(['a'], ask, { limit: 1, signal: AbortSignal.abort() }))
      answers.push(answer)
    expect(answers).toEqual([['a', true]])
  })
})
