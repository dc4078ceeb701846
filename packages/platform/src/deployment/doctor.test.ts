import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { diagnose } from './doctor.ts'

afterEach(() => vi.unstubAllEnvs())

test('names each part, what was seen, and what it is for', async () => {
  const found = await diagnose()
  expect(found.map(({ name }) => name)).toEqual([
    'node',
    'python',
    'python venv',
    'cc',
    'uv',
    'poetry',
    'npm',
    'cpus',
    'memory',
    'open files',
  ])
  expect(found[0]).toMatchObject({ state: 'ok', seen: process.versions.node })
  for (const { seen, hint } of found) expect([seen, hint]).not.toContain('')
})

test('a machine without Python says what to install', async () => {
  const empty = await mkdtemp(join(tmpdir(), 'havn-doctor-'))
  vi.stubEnv('PATH', empty)
  try {
    const found = await diagnose()
    const byName = Object.fromEntries(found.map((diagnosis) => [diagnosis.name, diagnosis]))
    expect(byName['python']).toMatchObject({ state: 'missing', seen: 'not found' })
    expect(byName['python']!.hint).toContain('install python3')
    expect(byName['python venv']!.state).toBe('missing')
    expect(byName['uv']).toMatchObject({ state: 'absent', seen: 'not found' })
  } finally {
    await rm(empty, { recursive: true })
  }
})
