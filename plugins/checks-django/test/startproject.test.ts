import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { checkFiles } from '@havn/checklist/testing'
import { platformConfigSchema } from '@havn/model'
import { ensurePython, requirePart } from '@havn/tools/parts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { rules } from '../src/rules/index.ts'

const run = promisify(execFile)
const FILES = [
  'manage.py',
  'shop/__init__.py',
  'shop/settings.py',
  'shop/urls.py',
  'shop/wsgi.py',
  'shop/asgi.py',
]

describe.each([
  ['5.2', await requirePart('Django 5.2', () => ensurePython(['Django>=5.2,<5.3']))],
  ['the newest that this Python runs', await requirePart('Django', () => ensurePython(['Django']))],
])('a fresh project of Django %s', (_name, python) => {
  let root: string
  const files: Record<string, string> = {}
  beforeAll(async () => {
    if (python === null) return
    root = await mkdtemp(join(tmpdir(), 'havn-start-'))
    await run(python, ['-m', 'django', 'startproject', 'shop', root])
    for (const file of FILES) files[file] = await readFile(join(root, file), 'utf8')
  })
  afterAll(() => rm(root, { recursive: true, force: true }))

  const check = async (changes: Record<string, string> = {}) => {
    const platformConfig = platformConfigSchema.parse({ app: { python: python! } })
    return checkFiles(rules, { ...files, ...changes }, { platformConfig })
  }

  test.skipIf(python === null)('has all that Django names found where it stands, and no more', async () => {
    const { findings, rules: results } = await check()
    const settings = files['shop/settings.py']!.split('\n')
    const seen = Object.fromEntries(
      findings.map(({ rule, severity, place }) => [
        rule,
        `${severity} ${place!.file === 'shop/settings.py' ? (settings[place!.line - 1]!.split(' = ')[0] || 'top').trim() : place!.file}`,
      ]),
    )
    const top = settings[0]!.trim()
    expect(results.filter(({ outcome }) => outcome === 'errored')).toEqual([])
    expect(seen).toEqual({
      'django.debug-on': 'error DEBUG',
      'django.secret-key-weak': 'error SECRET_KEY',
      'django.allowed-hosts-empty': 'error ALLOWED_HOSTS',
      'django.static-root-missing': 'warn STATIC_URL',
      'django.ssl-redirect-off': `warn ${top}`,
      'django.hsts-missing': `warn ${top}`,
      'django.session-cookie-insecure': `warn ${top}`,
      'django.csrf-cookie-insecure': `warn ${top}`,
      'django.logging-silent': `warn ${top}`,
      'django.sqlite': "info 'ENGINE': 'django.db.backends.sqlite3',",
      'django.csp-missing': 'info MIDDLEWARE',
      'django.admin-path': 'info shop/urls.py',
      // Since Django 6.1.
      ...(settings.includes('MAILERS = {') && {
        'django.email-goes-nowhere': expect.stringMatching(/^warn .*BACKEND/),
      }),
    })
  })

  test.skipIf(python === null)(
    'passes on what Django finds and no rule says: ids are in the messages',
    async () => {
      const changed = files['shop/settings.py']! + "STATICFILES_DIRS = ['/no/such/folder']\nCACHES = {}\n"
      const { findings } = await check({ 'shop/settings.py': changed })
      const passed = findings.filter(({ rule }) => rule === 'django.system-check')
      expect(passed.map(({ severity, message }) => `${severity} ${message.split(':')[0]}`).sort()).toEqual([
        'error caches.E001',
        'warn staticfiles.W004',
      ])
    },
  )
})
