import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openSourceTree, type SourceTree } from './source-tree.ts'

let directory: string
let tree: SourceTree

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'havn-tree-'))
  await writeFile(join(directory, 'small'), 'harbour')
  await writeFile(join(directory, 'large'), 'begins'.padEnd(5 * 1024 * 1024))
  await symlink('/etc/passwd', join(directory, 'away'))
  tree = await openSourceTree(directory)
})

afterAll(() => rm(directory, { recursive: true }))

test('reads files, and large ones not at all', async () => {
  expect(await tree.read('small')).toBe('harbour')
  expect(await tree.read('large')).toBeNull()
})

test('reads the head of a file, however large', async () => {
  expect(await tree.read('small', { headBytes: 3 })).toBe('har')
  expect(await tree.read('small', { headBytes: 100 })).toBe('harbour')
  expect(await tree.read('large', { headBytes: 6 })).toBe('begins')
})

test.each(['away', '/etc/passwd', '../x', 'nothing', '.'])('reads nothing of %s', async (path) => {
  expect(await tree.read(path)).toBeNull()
  expect(await tree.read(path, { headBytes: 10 })).toBeNull()
})
