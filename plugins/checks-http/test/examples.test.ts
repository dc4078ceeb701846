import { describe, expect, test } from 'vitest'
import { rules } from '../src/rules/index.ts'
import { checkSite, serveSite } from './serve-site.ts'

const executable = rules.filter(({ docs }) => docs.language === 'http')

describe.each(executable.map((rule) => [rule.id, rule] as const))('%s', (id, { docs }) => {
  async function foundIn(example: string): Promise<string[]> {
    const { url } = await serveSite(() => example)
    return (await checkSite(url, { only: [id] })).found
  }

  test('finds the bad example of its docs', async () => expect(await foundIn(docs.bad)).toContain(id))
  test('passes the good example of its docs', async () => expect(await foundIn(docs.good)).toEqual([]))
})

test('most rules about headers and cookies have such examples', () => {
  expect(executable.length).toBeGreaterThanOrEqual(20)
})
