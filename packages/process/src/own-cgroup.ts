import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Where the kernel tells of cgroups. */
export interface CgroupMounts {
  /** The cgroup file systems. */
  cgroups?: string
  proc?: string
}

/**
 * The memory cgroup of a process that has one of its own, and does not share ours: what the kernel counts there is of
 * that process and its children alone (cgroups(7); v2's `memory.events`, v1's `memory.oom_control`).
 */
export class OwnCgroup {
  readonly #file: string
  readonly #killsBefore: number

  private constructor(file: string, killsBefore: number) {
    this.#file = file
    this.#killsBefore = killsBefore
  }

  /** Null for a process that shares our cgroup, that is gone, or whose cgroup cannot be read. */
  static find(pid: number, mounts: CgroupMounts = {}): OwnCgroup | null {
    const { cgroups = '/sys/fs/cgroup', proc = '/proc' } = mounts
    const own = eventsFile(readText(join(proc, String(pid), 'cgroup')), cgroups)
    if (own === null || own === eventsFile(readText(join(proc, 'self/cgroup')), cgroups)) return null
    const kills = readKills(own)
    return kills === null ? null : new OwnCgroup(own, kills)
  }

  /** Processes killed for want of memory in it since it was found; null when the cgroup is gone. */
  oomKills(): number | null {
    const kills = readKills(this.#file)
    return kills === null ? null : kills - this.#killsBefore
  }
}

/** The file that counts kills, for a process with this `/proc/PID/cgroup`. v1 has a line for its memory controller. */
function eventsFile(text: string | null, mount: string): string | null {
  const lines = (text ?? '').split('\n').map((line) => /^\d+:([^:]*):(.*)$/.exec(line))
  const v1 = lines.find((match) => match?.[1]!.split(',').includes('memory'))
  if (v1) return join(mount, 'memory', v1[2]!, 'memory.oom_control')
  const v2 = lines.find((match) => match?.[1] === '')
  return v2 ? join(mount, v2[2]!, 'memory.events') : null
}

function readKills(file: string): number | null {
  const match = /^oom_kill (\d+)$/m.exec(readText(file) ?? '')
  return match === null ? null : Number(match[1])
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}
