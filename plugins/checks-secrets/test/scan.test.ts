import { execFile } from 'node:child_process'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { formatJson, formatJunit, formatMarkdown, formatSarif, formatText } from '@havn/checklist'
import { checkFiles } from '@havn/checklist/testing'
import type { CheckFilesOptions } from '@havn/checklist/testing'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { rules } from '../src/rules/index.ts'
import { secrets } from './cases.ts'
import { makeRepository } from './repository.ts'

const run = promisify(execFile)

async function found(files: Record<string, string>, options: CheckFilesOptions = {}): Promise<string[]> {
  const { findings } = await checkFiles(rules, files, options)
  return findings.map(
    ({ rule, severity, place }) => `${severity} ${rule} ${place?.file}:${place?.line}:${place?.column}`,
  )
}

test('no report shows a value', async () => {
  const values = [...Object.values(secrets), '9vXq2LmZ']
  const files = {
    'key.pem': secrets.privateKey,
    '.env': `SECRET_KEY=${secrets.literal}\nDB_PASSWORD=9vXq2LmZ\n`,
    'a.py': `A = "${secrets.aws}"\nB = "${secrets.github}"\nC = "${secrets.url}"\nD = "${secrets.jwt}"\nmy_token = "${secrets.literal}"\n`,
    'secret.yaml': 'kind: Secret\nstringData:\n  a: 9vXq2LmZ\n',
    '.npmrc': '//r.test/:_authToken=9vXq2LmZ\n',
  }
  const result = await checkFiles(rules, files, { prepare: makeRepository })
  expect(new Set(result.findings.map(({ rule }) => rule)).size).toBe(9)
  const reports = [
    formatText(result, { isColored: false, isVerbose: true }),
    formatJson(result),
    formatSarif(result, { version: '1' }),
    formatJunit(result),
    formatMarkdown(result),
  ]
  const pieces = values.flatMap((value) => value.split('\n')).filter((line) => !line.startsWith('-----'))
  for (const report of reports) for (const piece of pieces) expect(report).not.toContain(piece)
})

test('findings point at the value itself', async () => {
  expect(await found({ 'a.py': `x = 1\nKEY = "${secrets.aws}"\n` })).toEqual([
    'error secrets.cloud-key a.py:2:8',
  ])
})

test('in tests, docs and examples they are notes', async () => {
  const text = `${secrets.aws}\n`
  const files = {
    ...{ 'tests/a.txt': text, 'docs/a.txt': text, 'README.md': text, 'a_test.go': text },
    'env/lib/python3.13/site-packages/a.py': text,
  }
  for (const line of await found(files)) expect(line).toMatch(/^info secrets\.cloud-key/)
  expect((await found(files)).length).toBe(5)
})

test('a baseline of detect-secrets holds sums of what it knows', async () => {
  const entry = `{ "type": "Secret Keyword", "secret": "${secrets.literal}" }\n`
  expect(await found({ '.secrets.baseline': entry })).toEqual([])
  expect(await found({ 'baseline.json': entry })).toEqual(['warn secrets.literal baseline.json:1:40'])
})

describe('what is looked at', () => {
  const files = {
    '.gitignore': 'local/\n',
    'local/a.txt': secrets.aws,
    'b.txt': secrets.aws,
    '.env': secrets.aws,
  }

  test('in a repository what git tracks or would take in, and nothing that it ignores', async () => {
    const seen = await found(files, { prepare: (directory) => makeRepository(directory, ['b.txt']) })
    expect(seen).toEqual([
      'error secrets.cloud-key .env:1:1',
      'error secrets.cloud-key b.txt:1:1',
      'warn secrets.env-not-ignored .env:1:1',
    ])
  })

  test('elsewhere all but the variables of whoever runs it, and rules about git are skipped', async () => {
    const { findings, rules: results } = await checkFiles(rules, files)
    expect(findings.map(({ place }) => place?.file)).toEqual(['b.txt', 'local/a.txt'])
    const outcome = Object.fromEntries(results.map(({ rule, outcome }) => [rule.id, outcome]))
    expect(outcome['secrets.env-tracked']).toBe('skipped')
    expect(outcome['secrets.cloud-key']).toBe('found')
  })

  test('a project in a folder of its repository', async () => {
    const { findings } = await checkFiles(
      rules,
      {},
      {
        prepare: async (directory) => {
          await writeFile(join(directory, 'a.txt'), secrets.aws)
          await makeRepository(directory)
          await run('git', ['-C', directory, 'config', 'core.fsmonitor', 'touch ran'])
        },
      },
    )
    expect(findings.map(({ place }) => place?.file)).toEqual(['a.txt'])
  })

  test('a repository that git cannot read is no pass', async () => {
    const { rules: results } = await checkFiles(
      rules,
      { 'a.txt': 'a\n' },
      {
        prepare: async (directory) => {
          await makeRepository(directory)
          await writeFile(join(directory, '.git', 'index'), 'DIRC broken')
        },
      },
    )
    const outcomes = new Set(
      results.map(({ rule, outcome }) => rule.id.startsWith('secrets.env-tracked') && outcome),
    )
    expect(outcomes).toContain('errored')
  })
})

describe('bad input', () => {
  test('large, binary and odd files', async () => {
    const seen = await found(
      {
        'large.txt': 'a'.repeat(1024 * 1024 + 1),
        'large.bin': '\0'.repeat(2 * 1024 * 1024),
        'small.bin': `\0${secrets.aws}`,
        'package-lock.json': secrets.aws,
        'app.min.js': secrets.aws,
        'nul.txt': 'a\nb',
      },
      {
        prepare: async (directory) => {
          await mkdir(join(directory, 'folder'))
          await symlink('..', join(directory, 'folder', 'loop'))
          await symlink('/etc/passwd', join(directory, 'outside.txt'))
          await symlink('nowhere', join(directory, 'gone.txt'))
          await run('mkfifo', [join(directory, 'pipe.txt')])
        },
      },
    )
    expect(seen).toEqual(['info secrets.scan-incomplete large.txt:1:1'])
  })

  test('whatever is in them, nothing crashes', async () => {
    const piece = fc.constantFrom(
      ...[
        'kind: Secret\n',
        'data:\n',
        '  a: |\n',
        '---\n',
        'stringData:\n',
        'x: "',
        "'",
        '\\',
        '\r\n',
        '\t',
        '://:@',
      ],
      ...[
        '-----BEGIN PRIVATE KEY-----',
        'eyJ',
        'eyJhbGci.eyJhbGci.',
        'token=',
        '"',
        '${',
        'é',
        '\u{1f600}',
        'A=b\n',
      ],
    )
    const text = fc.array(fc.oneof(piece, fc.string()), { maxLength: 30 }).map((parts) => parts.join(''))
    await fc.assert(
      fc.asyncProperty(text, async (content) => {
        const names = ['a.yaml', '.env', '.npmrc', 'a.py', 'a.tfstate']
        const files = Object.fromEntries(names.map((name) => [name, content]))
        const { rules: results } = await checkFiles(rules, files)
        expect(results.filter(({ outcome }) => outcome === 'errored')).toEqual([])
      }),
      { numRuns: 40 },
    )
  })

  test('text that patterns could be tried on for ever', async () => {
    const files = {
      'a.txt': 'a:'.repeat(400_000),
      'b.txt': `x://${'a'.repeat(900_000)}`,
      'c.txt': 'token.'.repeat(150_000),
      'd.txt': 'eyJ'.repeat(300_000) + '.eyJ',
      'e.txt': `-----BEGIN ${'PRIVATE'} KEY-----` + '\\n'.repeat(400_000),
      'f.txt': `-----BEGIN ${'PRIVATE'} KEY-----\n` + 'a: b\n'.repeat(150_000),
      'g.yaml': 'kind: Secret\ndata:\n' + '  a: '.repeat(150_000),
      '.env': 'A'.repeat(900_000),
      '.pgpass': ':'.repeat(900_000),
    }
    const { rules: results } = await checkFiles(rules, files)
    expect(results.filter(({ outcome }) => outcome === 'errored')).toEqual([])
    expect(results.find(({ rule }) => rule.id === 'secrets.scan-incomplete')!.outcome).toBe('passed')
  })
})

describe('what git tracks', () => {
  const options = { prepare: makeRepository }

  test('databases, dumps and keystores', async () => {
    const files = {
      'db.sqlite3': 'SQLite format 3\0' + 'x'.repeat(84),
      'backup.sql': '--\n-- PostgreSQL database dump\n--\n',
      'old.sql': '-- MySQL dump 10.13\n',
      'signing.p12': '0\x82',
      'large.pem': 'x',
    }
    expect(await found(files, options)).toEqual([
      'warn secrets.dump-tracked backup.sql:1:1',
      'warn secrets.database-tracked db.sqlite3:1:1',
      'warn secrets.dump-tracked old.sql:1:1',
      'warn secrets.keystore signing.p12:1:1',
    ])
  })

  test('variables without secrets are a note', async () => {
    expect(await found({ '.env': 'COMPOSE_PROJECT_NAME=shop\nSECRET_KEY=changeme\n' }, options)).toEqual([
      'info secrets.env-tracked .env:1:1',
    ])
  })
})
