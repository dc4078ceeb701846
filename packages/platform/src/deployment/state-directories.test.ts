import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ensureRunDirectory, ensureStateDirectory, runDirectoryOf } from './state-directories.ts'

let root: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'havn-state-'))
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(root, { recursive: true })
})

test('the state folder ignores itself in git, and may be there already', async () => {
  expect(await ensureStateDirectory(root)).toBe(join(root, '.platform'))
  await ensureStateDirectory(root)
  expect(await readFile(join(root, '.platform/.gitignore'), 'utf8')).toBe('*\n')
})

test('a state folder that cannot be made is the user’s to mend', async () => {
  await writeFile(join(root, '.platform'), 'a file is in its place')
  await expect(ensureStateDirectory(root)).rejects.toMatchObject({ code: 'HAVN_ERR_STATE_UNWRITABLE' })
})

test('the run folder is private, its own for each root, and short enough for a socket', async () => {
  vi.stubEnv('XDG_RUNTIME_DIR', join(root, 'run'))
  const path = await ensureRunDirectory('/srv/shop')
  expect(path).toBe(runDirectoryOf('/srv/shop'))
  expect(path.startsWith(join(root, 'run/'))).toBe(true)
  expect(runDirectoryOf('/srv/other')).not.toBe(path)
  expect((await stat(path)).mode & 0o777).toBe(0o700)
  vi.stubEnv('XDG_RUNTIME_DIR', undefined)
  expect(`${runDirectoryOf('/a/very/long/path'.repeat(40))}/control.sock`.length).toBeLessThan(107)
})

test('a run folder that cannot be made', async () => {
  await writeFile(join(root, 'file'), '')
  vi.stubEnv('XDG_RUNTIME_DIR', join(root, 'file'))
  await expect(ensureRunDirectory('/srv/shop')).rejects.toMatchObject({ code: 'HAVN_ERR_STATE_UNWRITABLE' })
})
