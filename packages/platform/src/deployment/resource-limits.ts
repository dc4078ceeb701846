import { readFile } from 'node:fs/promises'
import { availableParallelism, totalmem } from 'node:os'
import { dirname, join } from 'node:path'

/** What this process and its children may use. */
export interface ResourceLimits {
  /** The least of affinity and cgroup quota, rounded up, at least 1. */
  cpus: number
  memory: {
    bytes: number
    /** Who limits it: the cgroup, or the machine has no more. */
    by: 'cgroup' | 'machine'
  }
}

export interface CgroupPlace {
  /** Where the cgroup file systems are mounted. */
  root?: string
  /** The file that names this process's cgroups. */
  self?: string
}

/**
 * Reads the limits of this process's cgroup and of all above it, v2 (`cpu.max`, `memory.max`) and v1
 * (`cpu.cfs_quota_us`, `memory.limit_in_bytes`). A container's host may have much more.
 */
export async function resourceLimits(place: CgroupPlace = {}): Promise<ResourceLimits> {
  const { root = '/sys/fs/cgroup', self = '/proc/self/cgroup' } = place
  const paths = cgroupPaths((await readText(self)) ?? '')
  const cpuFolders = [...foldersUpFrom(root, paths.unified), ...foldersUpFrom(join(root, 'cpu'), paths.cpu)]
  const memoryFolders = [
    ...foldersUpFrom(root, paths.unified),
    ...foldersUpFrom(join(root, 'memory'), paths.memory),
  ]
  const quotas = await Promise.all(cpuFolders.map(readCpuQuota))
  const limits = await Promise.all(memoryFolders.map(readMemoryLimit))
  const memoryBytes = Math.min(...limits)
  const machineBytes = totalmem()
  return {
    cpus: Math.max(1, Math.min(availableParallelism(), ...quotas.map(Math.ceil))),
    memory:
      memoryBytes < machineBytes
        ? { bytes: memoryBytes, by: 'cgroup' }
        : { bytes: machineBytes, by: 'machine' },
  }
}

/** cgroups(7): `0::/path` is v2's, `4:cpu,cpuacct:/path` one of v1's. */
function cgroupPaths(text: string): { unified: string; cpu: string; memory: string } {
  const lines = text.split('\n').map((line) => /^\d+:([^:]*):(.*)$/.exec(line))
  const pathOf = (controller: string) =>
    lines.find((match) => match?.[1]!.split(',').includes(controller))?.[2] ?? '/'
  return { unified: pathOf(''), cpu: pathOf('cpu'), memory: pathOf('memory') }
}

/** A limit above holds too. Inside a container the path may be the host's, and lead nowhere but to the root. */
function foldersUpFrom(mount: string, path: string): string[] {
  const folders = [mount]
  for (let at = path; at !== '/' && at !== '.'; at = dirname(at)) folders.push(join(mount, at))
  return folders
}

async function readCpuQuota(folder: string): Promise<number> {
  const v2 = /^(\d+) (\d+)/.exec((await readText(join(folder, 'cpu.max'))) ?? '')
  if (v2) return Number(v2[1]) / Number(v2[2])
  const quota = Number(await readText(join(folder, 'cpu.cfs_quota_us')))
  const period = Number(await readText(join(folder, 'cpu.cfs_period_us')))
  return quota > 0 && period > 0 ? quota / period : Infinity
}

async function readMemoryLimit(folder: string): Promise<number> {
  const text =
    (await readText(join(folder, 'memory.max'))) ?? (await readText(join(folder, 'memory.limit_in_bytes')))
  const bytes = Number(text ?? 'max')
  return bytes > 0 ? bytes : Infinity
}

async function readText(path: string): Promise<string | null> {
  return readFile(path, 'utf8').catch(() => null)
}
