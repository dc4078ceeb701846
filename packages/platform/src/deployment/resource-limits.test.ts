import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { availableParallelism, tmpdir, totalmem } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { resourceLimits } from './resource-limits.ts'

let root: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'havn-cgroup-'))
})
afterEach(() => rm(root, { recursive: true }))

async function limits(files: Record<string, string>, self = '0::/\n') {
  for (const [name, text] of Object.entries({ ...files, self })) {
    await mkdir(dirname(join(root, name)), { recursive: true })
    await writeFile(join(root, name), text)
  }
  return resourceLimits({ root, self: join(root, 'self') })
}
const memoryOf = async (...input: Parameters<typeof limits>) => (await limits(...input)).memory
const whole = { bytes: totalmem(), by: 'machine' }
const MiB = 1024 * 1024

describe('CPUs', () => {
  test('half a CPU is one', async () => {
    expect((await limits({ 'cpu.max': '50000 100000\n' })).cpus).toBe(1)
  })

  test('no quota is the machine', async () => {
    expect((await limits({ 'cpu.max': 'max 100000\n' })).cpus).toBe(availableParallelism())
  })

  test('cgroup v1', async () => {
    const files = { 'cpu/cpu.cfs_quota_us': '100000', 'cpu/cpu.cfs_period_us': '100000' }
    expect((await limits(files)).cpus).toBe(1)
    expect((await limits({ ...files, 'cpu/cpu.cfs_quota_us': '-1' })).cpus).toBe(availableParallelism())
  })

  test('a quota of the service, or of the slice that it is in', async () => {
    const self = '0::/system.slice/shop.service\n'
    expect((await limits({ 'system.slice/cpu.max': '100000 100000\n' }, self)).cpus).toBe(1)
  })
})

describe('memory', () => {
  test('without a limit it is the machine’s', async () => {
    expect(await memoryOf({})).toEqual(whole)
    expect(await memoryOf({ 'memory.max': 'max\n' })).toEqual(whole)
    expect(await memoryOf({ 'memory/memory.limit_in_bytes': '9223372036854771712\n' })).toEqual(whole)
  })

  test('the least of a cgroup and those above it', async () => {
    const files = {
      'system.slice/memory.max': `${256 * MiB}\n`,
      'system.slice/shop.service/memory.max': `${512 * MiB}\n`,
    }
    const seen = await memoryOf(files, '0::/system.slice/shop.service\n')
    expect(seen).toEqual({ bytes: 256 * MiB, by: 'cgroup' })
  })

  test('cgroup v1, by the path of its controller', async () => {
    const self = '9:name=systemd:/\n4:cpu,memory:/shop\n0::/\n'
    const seen = await memoryOf({ 'memory/shop/memory.limit_in_bytes': `${300 * MiB}\n` }, self)
    expect(seen).toEqual({ bytes: 300 * MiB, by: 'cgroup' })
  })

  test('a container that is told its path on the host finds its own limit', async () => {
    const seen = await memoryOf({ 'memory.max': `${300 * MiB}\n` }, '0::/docker/4711\n')
    expect(seen).toEqual({ bytes: 300 * MiB, by: 'cgroup' })
  })
})

test('this machine can be read', async () => {
  const { cpus, memory } = await resourceLimits()
  expect(cpus).toBeGreaterThanOrEqual(1)
  expect(memory.bytes).toBeGreaterThan(MiB)
})
