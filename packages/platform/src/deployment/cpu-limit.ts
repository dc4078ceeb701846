import { readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'

/**
 * CPUs that this process may use: the least of its affinity and its cgroup's quota (cgroup v2 `cpu.max`,
 * v1 `cpu.cfs_quota_us`), rounded up, at least 1. A container's host may have many more.
 */
export async function cpuLimit(cgroupRoot = '/sys/fs/cgroup'): Promise<number> {
  const quota =
    (await readCgroupV2(cgroupRoot)) ?? (await readCgroupV1(cgroupRoot)) ?? Number.POSITIVE_INFINITY
  return Math.max(1, Math.min(availableParallelism(), Math.ceil(quota)))
}

async function readCgroupV2(root: string): Promise<number | null> {
  const text = await readText(`${root}/cpu.max`)
  const match = /^(\d+) (\d+)/.exec(text ?? '')
  return match ? Number(match[1]) / Number(match[2]) : null
}

async function readCgroupV1(root: string): Promise<number | null> {
  const quota = Number(await readText(`${root}/cpu/cpu.cfs_quota_us`))
  const period = Number(await readText(`${root}/cpu/cpu.cfs_period_us`))
  return quota > 0 && period > 0 ? quota / period : null
}

async function readText(path: string): Promise<string | null> {
  return readFile(path, 'utf8').catch(() => null)
}
