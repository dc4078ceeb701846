import { cp, mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { ensurePython, requirePart } from '@havn/tools/parts'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { copyApp, examplesDirectory, runPlatform } from '../src/index.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'havn-check-bad-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

async function write(file: string, text: string | Uint8Array): Promise<void> {
  await mkdir(dirname(join(directory, file)), { recursive: true })
  await writeFile(join(directory, file), text)
}

interface Report {
  findings: { rule: string; message: string; place: { file: string; line: number } | null }[]
  rules: { id: string; outcome: string; reason: string | null }[]
}

/** A run to its end that printed a report, whatever it has to say. */
async function check(...args: string[]) {
  const { code, stdout, stderr } = await runPlatform(['check', directory, '--format', 'json', ...args])
  expect([0, 3], stderr).toContain(code)
  expect(stderr).toBe('')
  const { findings, rules } = JSON.parse(stdout) as Report
  const errored = rules.filter(({ outcome }) => outcome === 'errored')
  const told = [
    ...findings.map(({ message, place }) => `${place?.file}: ${message}`),
    ...errored.map(({ reason }) => reason ?? ''),
  ]
  return { code, findings, rules, told: told.join('\n') }
}

/** Each of the ten names the one before it ten times: ten thousand million strings. */
const bomb = Array.from({ length: 10 }, (_, at) => {
  const values = Array.from({ length: 10 }, () => (at === 0 ? '"x"' : `*a${at - 1}`))
  return `a${at}: &a${at} [${values.join(', ')}]`
})

const manifest = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: big\n'

describe('what cannot be read is told of, and never a pass', () => {
  test.each<[string, string, string | Uint8Array]>([
    ['tabs', 'compose.yaml', 'services:\n\tweb:\n\t\timage: a:1\n'],
    ['a bomb of aliases', 'compose.yaml', `${bomb.join('\n')}\nservices: *a9\n`],
    ['binary data', 'docker-compose.yml', Uint8Array.from({ length: 4096 }, (_, at) => (at * 37) % 256)],
    ['a list for a mapping', 'compose.yaml', '- services\n'],
    ['tabs in a manifest', 'k8s/web.yaml', `${manifest}\tdata: x\n`],
    ['a bomb in a manifest', 'k8s/web.yaml', `${manifest}${bomb.join('\n')}\ndata: *a9\n`],
  ])('%s in %s', async (_, file, text) => {
    await write(file, text)
    const { code, told } = await check('--fail-level', 'info')
    expect(told).toContain(file)
    expect(code).toBe(3)
  })

  test.each(['Dockerfile', 'compose.yaml', 'k8s/web.yaml'])('50 MB of %s', async (file) => {
    await write(file, file === 'Dockerfile' ? 'FROM a:1\n' : manifest)
    await truncate(join(directory, file), 50 * 1024 * 1024)
    const { code, told } = await check('--fail-level', 'info')
    expect(told).toContain(file)
    expect(code).toBe(3)
  })
})

test('an unknown instruction has its line', async () => {
  await write('Dockerfile', 'FROM python:3.13-slim\nUSER 10001\nRUNN x\n')
  const { findings } = await check()
  expect(findings).toContainEqual(
    expect.objectContaining({
      rule: 'dockerfile.unknown-instruction',
      place: expect.objectContaining({ file: 'Dockerfile', line: 3 }),
    }),
  )
})

test('a Dockerfile of binary data is no pass', async () => {
  await write(
    'Dockerfile',
    Uint8Array.from({ length: 4096 }, (_, at) => (at * 37) % 256),
  )
  expect((await check('--fail-level', 'info')).code).toBe(3)
})

test('links in circles and to elsewhere are not followed', async () => {
  await write('web/Dockerfile', 'FROM a:1\nUSER root\n')
  await symlink('..', join(directory, 'web/up'))
  await symlink('/', join(directory, 'all'))
  await symlink('itself', join(directory, 'itself'))
  const { findings } = await check('--profile', 'strict')
  const files = new Set(findings.flatMap(({ place }) => place?.file ?? []))
  expect([...files]).toEqual(['web/Dockerfile'])
})

test('templates of Helm are named as what was not looked at', async () => {
  await write('chart/Chart.yaml', 'apiVersion: v2\nname: shop\nversion: 1.0.0\n')
  await write('chart/values.yaml', 'replicas: 2\n')
  await write(
    'chart/templates/web.yaml',
    'apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {{ .Release.Name }}\nspec:\n  {{- with .Values }}\n  replicas: {{ .replicas }}\n  {{- end }}\n',
  )
  const { told, rules } = await check('--profile', 'strict')
  expect(rules.filter(({ outcome }) => outcome === 'errored')).toEqual([])
  expect(told).toContain('chart/templates/web.yaml')
})

const python = await requirePart('Django', () => ensurePython(['Django~=5.2.0']))

describe.skipIf(python === null)('settings that misbehave', () => {
  beforeEach(async () => {
    const app = await copyApp(join(examplesDirectory, 'polls'))
    await cp(app.directory, directory, { recursive: true })
    await app.remove()
  })

  test.each([
    ['end the interpreter', 'import sys\nsys.exit(0)\n'],
    ['end the process', 'import os\nos._exit(0)\n'],
    ['raise', 'raise RuntimeError("no database today")\n'],
    ['do not parse', 'DEBUG = (\n'],
    ['never end', 'while True: pass\n'],
  ])('and %s', { timeout: 120_000 }, async (_, text) => {
    await write('mysite/settings.py', text)
    const { code, told } = await check('--python', python!)
    expect(told).toContain('settings')
    expect(code).toBe(3)
  })

  test('and print, in all ways', async () => {
    const own = 'import os, sys\nprint("{not json")\nsys.stderr.write("oh\\n")\nos.write(1, b"raw\\n")\n'
    await write('mysite/noisy.py', `${own}from mysite.settings import *\nDEBUG = True\n`)
    await write(
      'platform.config.json',
      JSON.stringify({ app: { env: { DJANGO_SETTINGS_MODULE: 'mysite.noisy' } } }),
    )
    const { findings } = await check('--python', python!)
    expect(findings).toContainEqual(
      expect.objectContaining({
        rule: 'django.debug-on',
        place: expect.objectContaining({ file: 'mysite/noisy.py', line: 6 }),
      }),
    )
  })
})
