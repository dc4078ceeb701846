import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { findRequiredPrograms } from './required-programs.ts'

const needing = (name: string) => ({
  id: 'proxy.sample',
  instance: { programs: [{ name, install: 'apt install sample' }] },
})

test('a program is named by its absolute path', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'havn-programs-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  await writeFile(join(folder, 'a-program-of-a-test'), '')
  await chmod(join(folder, 'a-program-of-a-test'), 0o755)
  expect(await findRequiredPrograms(needing('a-program-of-a-test'), `/nowhere:${folder}`)).toEqual({
    'a-program-of-a-test': join(folder, 'a-program-of-a-test'),
  })
})

test('one that is missing is told with the way to get it', async () => {
  await expect(findRequiredPrograms(needing('a-program-that-nobody-has'), '/nowhere')).rejects.toMatchObject({
    code: 'HAVN_ERR_PROGRAM_MISSING',
    message: 'proxy.sample needs the program a-program-that-nobody-has, which is not on this machine.',
    hint: 'Install it: apt install sample.',
  })
})

test('a plugin that needs none has none', async () => {
  expect(await findRequiredPrograms({ id: 'proxy.edge', instance: {} })).toEqual({})
})
