import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { OwnCgroup } from './own-cgroup.ts'

/** Files as the kernel shows them, by path. */
function kernel(files: Record<string, string>) {
  const root = mkdtempSync(join(tmpdir(), 'havn-cgroup-'))
  onTestFinished(() => rmSync(root, { recursive: true }))
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  for (const [path, text] of Object.entries(files)) write(path, text)
  return { mounts: { cgroups: join(root, 'cgroup'), proc: join(root, 'proc') }, root, write }
}

test('v2: counts what was killed since it was found', () => {
  const events = (kills: number) =>
    `low 0\nhigh 0\nmax 7\noom ${kills}\noom_kill ${kills}\noom_group_kill 0\n`
  const { mounts, write } = kernel({
    'proc/self/cgroup': '0::/app.slice\n',
    'proc/7/cgroup': '0::/app.slice/worker\n',
    'cgroup/app.slice/worker/memory.events': events(2),
  })
  const own = OwnCgroup.find(7, mounts)
  expect(own?.oomKills()).toBe(0)
  write('cgroup/app.slice/worker/memory.events', events(3))
  expect(own?.oomKills()).toBe(1)
})

test('v1: has a file of the memory controller', () => {
  const { mounts, root } = kernel({
    'proc/self/cgroup': '5:cpu,cpuacct:/\n4:memory:/gateway\n0::/\n',
    'proc/7/cgroup': '5:cpu,cpuacct:/\n4:memory:/worker\n0::/\n',
    'cgroup/memory/worker/memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 4\n',
  })
  const own = OwnCgroup.find(7, mounts)
  expect(own?.oomKills()).toBe(0)
  rmSync(join(root, 'cgroup/memory/worker'), { recursive: true })
  expect(own?.oomKills()).toBe(null)
})

test('there is none where a process shares ours, is gone, or may not be looked at', () => {
  const { mounts } = kernel({
    'proc/self/cgroup': '0::/app.slice\n',
    'proc/7/cgroup': '0::/app.slice\n',
    'proc/8/cgroup': '0::/hidden\n',
    'cgroup/app.slice/memory.events': 'oom_kill 1\n',
  })
  expect([7, 8, 9].map((pid) => OwnCgroup.find(pid, mounts))).toEqual([null, null, null])
})
