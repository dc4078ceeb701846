import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { resourceLimits } from './resource-limits.ts'

/** One thing that Havn can use on this machine. */
export interface Diagnosis {
  name: string
  /** `missing` limits what works; `absent` is only a part that some features want. */
  state: 'ok' | 'missing' | 'absent'
  seen: string
  /** What it is for, and what to do where it is missing. */
  hint: string
}

const run = promisify(execFile)

/** Looks at this machine; changes nothing. */
export async function diagnose(): Promise<Diagnosis[]> {
  return Promise.all([
    node(),
    python(),
    pythonVenv(),
    ...programs.map(program),
    cpus(),
    memory(),
    descriptors(),
  ])
}

async function node(): Promise<Diagnosis> {
  return { name: 'node', state: 'ok', seen: process.versions.node, hint: 'runs Havn; 22.19 or newer' }
}

async function python(): Promise<Diagnosis> {
  const seen = await firstLine('python3', ['-c', 'import sys; print(sys.version.split()[0])'])
  const [major = 0, minor = 0] = (seen ?? '').split('.').map(Number)
  const isEnough = major > 3 || (major === 3 && minor >= 9)
  const hint = 'runs Python apps; 3.9 or newer'
  if (seen === null)
    return { name: 'python', state: 'missing', seen: 'not found', hint: `${hint}: install python3` }
  return { name: 'python', state: isEnough ? 'ok' : 'missing', seen, hint }
}

async function pythonVenv(): Promise<Diagnosis> {
  const found = await firstLine('python3', ['-c', 'import venv, ensurepip; print("yes")'])
  const hint = 'makes virtual environments' + (found ? '' : ': install python3-venv')
  return { name: 'python venv', state: found ? 'ok' : 'missing', seen: found ?? 'not found', hint }
}

const programs: { name: string; args: string[]; hint: string }[] = [
  { name: 'cc', args: ['--version'], hint: 'builds uWSGI and other packages that have no wheel' },
  { name: 'uv', args: ['--version'], hint: 'installs projects with uv.lock; pip does otherwise' },
  { name: 'poetry', args: ['--version'], hint: 'installs projects with poetry.lock; pip does otherwise' },
  { name: 'npm', args: ['--version'], hint: 'installs Node apps' },
]

async function program({ name, args, hint }: (typeof programs)[number]): Promise<Diagnosis> {
  const seen = await firstLine(name, args)
  return { name, state: seen === null ? 'absent' : 'ok', seen: seen ?? 'not found', hint }
}

async function cpus(): Promise<Diagnosis> {
  return {
    name: 'cpus',
    state: 'ok',
    seen: String((await resourceLimits()).cpus),
    hint: 'usable by affinity and cgroup; the default number of workers',
  }
}

async function memory(): Promise<Diagnosis> {
  const available = /MemAvailable:\s+(\d+) kB/.exec(
    await readFile('/proc/meminfo', 'utf8').catch(() => ''),
  )?.[1]
  const limit = await readFile('/sys/fs/cgroup/memory.max', 'utf8').catch(() => 'max')
  const seen = available ? `${Math.round(Number(available) / 1024)} MiB available` : 'unknown'
  const cgroup =
    limit.trim() === 'max' ? 'no cgroup limit' : `cgroup limit ${Math.round(Number(limit) / 1048576)} MiB`
  return {
    name: 'memory',
    state: 'ok',
    seen: `${seen}, ${cgroup}`,
    hint: 'a Python worker takes 30 to 150 MiB',
  }
}

async function descriptors(): Promise<Diagnosis> {
  const limits = await readFile('/proc/self/limits', 'utf8').catch(() => '')
  const soft = /Max open files\s+(\d+|unlimited)/.exec(limits)?.[1] ?? 'unknown'
  const isLow = Number(soft) < 4096
  return {
    name: 'open files',
    state: isLow ? 'missing' : 'ok',
    seen: soft,
    hint: 'one for each connection' + (isLow ? ': raise it with ulimit -n 65536' : ''),
  }
}

async function firstLine(command: string, args: string[]): Promise<string | null> {
  try {
    const { stdout } = await run(command, args, { timeout: 10_000 })
    return stdout.trim().split('\n')[0] ?? null
  } catch {
    return null
  }
}
