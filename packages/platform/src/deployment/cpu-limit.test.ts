import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { cpuLimit } from './cpu-limit.ts'

let root: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'havn-cgroup-'))
})
afterEach(() => rm(root, { recursive: true }))

test('half a CPU is one', async () => {
  await writeFile(join(root, 'cpu.max'), '50000 100000\n')
  expect(await cpuLimit(root)).toBe(1)
})

test('no quota is the machine', async () => {
  await writeFile(join(root, 'cpu.max'), 'max 100000\n')
  expect(await cpuLimit(root)).toBe(availableParallelism())
})

test('cgroup v1', async () => {
  await mkdir(join(root, 'cpu'))
  await writeFile(join(root, 'cpu/cpu.cfs_quota_us'), '100000')
  await writeFile(join(root, 'cpu/cpu.cfs_period_us'), '100000')
  expect(await cpuLimit(root)).toBe(1)
})
