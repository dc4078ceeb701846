import { readFileSync, readdirSync } from 'node:fs'

/** CPU time and memory of a process and all that descend from it. */
export interface Usage {
  cpuSeconds: number
  /** Proportional set size: shared pages are divided among those who share them. */
  pssBytes: number
  processes: number
}

/** Linux counts CPU time in hundredths of a second for user space (USER_HZ). */
const ticksPerSecond = 100

/** Reads /proc for the tree below `root`. CPU time of children that ended is in their parent's. */
export function readUsage(root: number): Usage {
  const usage: Usage = { cpuSeconds: 0, pssBytes: 0, processes: 0 }
  for (const pid of treeOf(root)) {
    const fields = statFields(pid)
    if (!fields) continue
    const [user = 0, system = 0, childUser = 0, childSystem = 0] = fields.slice(11, 15).map(Number)
    usage.cpuSeconds += (user + system + childUser + childSystem) / ticksPerSecond
    usage.pssBytes += pssOf(pid)
    usage.processes += 1
  }
  return usage
}

function treeOf(root: number): number[] {
  const children = new Map<number, number[]>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const parent = Number(statFields(Number(name))?.[1])
    if (parent) children.set(parent, [...(children.get(parent) ?? []), Number(name)])
  }
  const tree: number[] = []
  for (const queue = [root]; queue.length > 0;) {
    const pid = queue.pop()!
    tree.push(pid)
    queue.push(...(children.get(pid) ?? []))
  }
  return tree
}

/** The fields of /proc/PID/stat after the command's closing parenthesis: state, ppid, … */
function statFields(pid: number): string[] | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    return null
  }
}

function pssOf(pid: number): number {
  try {
    const match = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))
    return Number(match?.[1] ?? 0) * 1024
  } catch {
    return 0
  }
}
