import { readdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { formatCheckReference, readRules } from './check-reference.ts'

const folder = resolve(import.meta.dirname, '../../docs/reference/checks')

test('docs/reference/checks and the rules agree, both ways (npm run reference writes it)', async () => {
  const pages = formatCheckReference(await readRules())
  expect(readdirSync(folder).sort()).toEqual([...pages.keys()].sort())
  for (const [name, text] of pages) expect(readFileSync(resolve(folder, name), 'utf8'), name).toBe(text)
})
