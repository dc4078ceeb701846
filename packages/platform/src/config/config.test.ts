import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { configJsonSchema } from '@havn/model'
import { loadConfig } from './load-config.ts'
import { parseConfig } from './parse-config.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'havn-config-'))
})
afterEach(() => rm(directory, { recursive: true }))

const write = (name: string, text: string) => writeFile(join(directory, name), text)

test('no file is an empty config', async () => {
  expect(await loadConfig(directory)).toEqual({ config: {}, file: null, directory })
})

test.each([
  ['platform.config.toml', 'server = "gunicorn"\nworkers = 3\n[app]\nentry = "a:b"\n'],
  ['platform.config.json', '{"server":"gunicorn","workers":3,"app":{"entry":"a:b"}}'],
  [
    'platform.config.ts',
    'export default { server: "gunicorn" as string, workers: 3, app: { entry: "a:b" } }',
  ],
])('%s is read', async (name, text) => {
  await write(name, text)
  const loaded = await loadConfig(directory)
  expect(loaded.config).toEqual({ server: 'gunicorn', workers: 3, app: { entry: 'a:b' } })
  expect(loaded.file).toBe(join(directory, name))
})

test('two files are refused', async () => {
  await write('platform.config.toml', '')
  await write('platform.config.json', '{}')
  await expect(loadConfig(directory)).rejects.toMatchObject({
    code: 'HAVN_ERR_CONFIG_SEVERAL',
    message: 'There are several config files: platform.config.toml, platform.config.json.',
  })
})

test('a named file must exist', async () => {
  await expect(loadConfig(directory, join(directory, 'x.toml'))).rejects.toMatchObject({
    code: 'HAVN_ERR_CONFIG_NOT_FOUND',
  })
})

test('TOML that does not parse names line and column', async () => {
  await write('platform.config.toml', 'workers = 2\nserver = \n')
  await expect(loadConfig(directory)).rejects.toMatchObject({
    code: 'HAVN_ERR_CONFIG_SYNTAX',
    message: expect.stringContaining('line 2'),
  })
})

test.each([
  [{ worker: 2 }, 'unknown key "worker"; did you mean "workers"?'],
  [{ app: { enrty: 'x' } }, 'unknown key "app.enrty"; did you mean "entry"?'],
  [{ staticFiles: [{ url: '/a/', dir: 'b' }] }, 'unknown key "staticFiles[0].dir"'],
  [{ workers: 'two' }, 'workers: expected number, or expected "auto", but it is "two"'],
  [{ log: { level: 'loud' } }, 'log.level: '],
])('%j is refused', (raw, message) => {
  expect(() => parseConfig(raw, 'platform.config.toml')).toThrow(message)
})

test('every problem is listed', () => {
  expect(() => parseConfig({ worker: 1, bindd: ':1' }, 'f')).toThrow(/2 problems[^]*"workers"[^]*"bind"/)
})

test('the shipped JSON Schema is current (npm run schema writes it)', async () => {
  const shipped = await readFile(new URL('../../schema/platform.config.schema.json', import.meta.url), 'utf8')
  expect(JSON.parse(shipped)).toEqual(JSON.parse(JSON.stringify(configJsonSchema())))
})
