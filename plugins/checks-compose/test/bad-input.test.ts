import { mkdir, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { checkFiles, type CheckFilesOptions } from '@havn/checklist/testing'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { rules } from '../src/rules/index.ts'

/** Every key that a rule or a fact looks at. */
const sample = {
  version: '3',
  include: ['x.yaml'],
  volumes: { data: null },
  networks: { front: {} },
  services: {
    web: {
      image: 'a:${TAG:-latest}',
      build: { context: '.', dockerfile: 'D', target: 't', args: { KEY: 'x' } },
      extends: { file: 'compose.yaml', service: 'db' },
      command: ['a', 'b'],
      entrypoint: 'a b',
      environment: { DEBUG: '1', SECRET_KEY: 'abcdef' },
      env_file: [{ path: 'a.env', required: false }],
      ports: [{ target: 80, published: '8080' }, '80:80', 80],
      volumes: ['/:/x', { type: 'bind', source: '.', target: '/y', read_only: true }],
      healthcheck: { test: ['CMD', 'a'], disable: false },
      depends_on: { db: { condition: 'service_healthy' } },
      deploy: { replicas: 2, mode: 'replicated', update_config: {}, resources: { limits: { memory: '1g' } } },
      networks: { front: {} },
      secrets: [{ source: 'key' }, 'key'],
      logging: { driver: 'json-file', options: { 'max-size': '1m' } },
      security_opt: ['no-new-privileges:true'],
      cap_add: ['ALL'],
      privileged: true,
      profiles: ['dev'],
      container_name: 'x',
      stop_grace_period: '10s',
      user: 'root',
      restart: 'always',
    },
    db: { image: 'postgres:11', environment: ['A=b'], healthcheck: { test: 'x' }, pid: 'host' },
  },
}

const junk = fc.constantFrom<unknown>(
  null,
  '',
  'x',
  '$',
  '${',
  '${A:-${B',
  0,
  -1,
  1e300,
  true,
  [],
  {},
  [[]],
  [{}],
  [null],
  { x: null },
  { '': {} },
  '\u0000',
  '😀',
  [[[[]]]],
)

/** Puts junk in place of one value in five or so, keys included. */
function mutate(value: unknown, pick: () => number, next: () => unknown): unknown {
  if (pick() === 0) return next()
  if (Array.isArray(value)) return value.map((each) => mutate(each, pick, next))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, mutate(each, pick, next)]))
}

async function errored(files: Record<string, string>, options: CheckFilesOptions = {}): Promise<unknown[]> {
  const result = await checkFiles(rules, files, options)
  return result.rules
    .filter(({ outcome }) => outcome === 'errored')
    .map(({ rule, reason }) => [rule.id, reason])
}

async function problems(options: CheckFilesOptions): Promise<unknown[]> {
  const { findings } = await checkFiles(rules, { 'a.txt': '' }, options)
  return findings.filter(({ rule }) => rule === 'compose.unreadable').map(({ place }) => place!.file)
}

test('wrong types everywhere crash no rule', { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.infiniteStream(fc.nat(11)), fc.infiniteStream(junk), async (picks, values) => {
      const files = {
        'compose.yaml': JSON.stringify(
          mutate(
            sample,
            () => picks.next().value!,
            () => values.next().value,
          ),
        ),
      }
      expect(await errored(files)).toEqual([])
    }),
    { numRuns: 150 },
  )
})

describe('is found, and no crash', () => {
  test('a file of 50 MB', async () => {
    expect(
      await problems({
        async prepare(directory) {
          await writeFile(join(directory, 'compose.yaml'), 'services: {}\n')
          await truncate(join(directory, 'compose.yaml'), 50 * 1024 * 1024)
        },
      }),
    ).toEqual(['compose.yaml'])
  })

  test('links in a circle, out of the project, and a folder', async () => {
    expect(
      await problems({
        async prepare(directory) {
          await symlink('compose.yaml', join(directory, 'compose.yml'))
          await symlink('compose.yml', join(directory, 'compose.yaml'))
          await symlink('/etc/passwd', join(directory, 'compose.prod.yaml'))
          await mkdir(join(directory, 'compose.dev.yaml'))
        },
      }),
    ).toEqual(['compose.prod.yaml', 'compose.yaml', 'compose.yml'])
  })

  test.each([
    ['binary', '\u0000\u0001PNG'],
    ['nothing', ''],
    ['brackets', '['.repeat(10_000)],
    ['a template', 'services:\n  {% for x in y %}\n  {{ x }}: {image: a}\n  {% endfor %}\n'],
  ])('%s', async (_, text) => {
    const { findings, rules: results } = await checkFiles(rules, { 'compose.yaml': text })
    expect(results.filter(({ outcome }) => outcome === 'errored')).toEqual([])
    expect(findings.map(({ rule }) => rule)).toContain('compose.unreadable')
  })
})
