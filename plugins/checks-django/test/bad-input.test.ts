import { checkFiles } from '@havn/checklist/testing'
import { platformConfigSchema } from '@havn/model'
import { ensurePython, requirePart } from '@havn/tools/parts'
import { expect, test } from 'vitest'
import { rules } from '../src/rules/index.ts'
import { MANAGE, project, SETTINGS, WHOLE } from './projects.ts'

const django = await requirePart('Django 5.2', () => ensurePython(['Django>=5.2,<5.3']))
const bare = await requirePart('Python without Django', () => ensurePython([]))

/** What rules ask about. */
const NAMES =
  `ALLOWED_HOSTS ASGI_APPLICATION AUTH_PASSWORD_VALIDATORS CACHES CORS_ALLOW_ALL_ORIGINS CSP_SCRIPT_SRC
  CSRF_COOKIE_SAMESITE CSRF_COOKIE_SECURE CSRF_TRUSTED_ORIGINS CSRF_USE_SESSIONS DATABASES DATA_UPLOAD_MAX_MEMORY_SIZE DEBUG
  DEFAULT_AUTO_FIELD EMAIL_BACKEND INSTALLED_APPS LOGGING MAILERS MIDDLEWARE PASSWORD_HASHERS SECRET_KEY SECRET_KEY_FALLBACKS
  SECURE_CSP SECURE_CROSS_ORIGIN_OPENER_POLICY SECURE_HSTS_SECONDS SECURE_PROXY_SSL_HEADER SECURE_REFERRER_POLICY
  SECURE_SSL_REDIRECT SESSION_COOKIE_SECURE SESSION_ENGINE SESSION_SERIALIZER SILENCED_SYSTEM_CHECKS STATICFILES_STORAGE
  STATIC_ROOT STORAGES USE_TZ X_FRAME_OPTIONS`.split(/\s+/)

const check = (files: Readonly<Record<string, string>>, python: string | null) =>
  checkFiles(rules, files, { platformConfig: platformConfigSchema.parse({ app: { python: python! } }) })

test
  .skipIf(bare === null || django === null)
  .each(['5', '"x"', 'b"x"', 'None', '[1, None, [2]]', '{1: {2: [3]}}', 'object', '1e999', '{"default": 7}'])(
  'settings that are all %s crash no rule, and do not pass',
  async (value) => {
    const files = project(...NAMES.map((name) => `${name} = ${value}`))
    for (const python of [bare, django]) {
      const { rules: results, findings } = await check(files, python)
      expect(
        results
          .filter(({ outcome }) => outcome === 'errored')
          .map(({ rule, reason }) => `${rule.id}: ${reason}`),
      ).toEqual([])
      expect(findings.length).toBeGreaterThan(0)
    }
  },
)

test.skipIf(django === null)(
  'settings that are short to write and endless to read come to an end',
  async () => {
    const doubling = Array.from({ length: 12 }, () => 'BOMB = [BOMB] * 2000')
    const files = {
      ...WHOLE,
      [SETTINGS]: [
        WHOLE[SETTINGS],
        'BOMB = ["x" * 10000]',
        ...doubling,
        `${'if BOMB:\n    pass\n'}BIG = 1 << 10_000_000`,
      ].join('\n'),
    }
    const { findings, rules: results } = await check(files, django)
    expect(results.filter(({ outcome }) => outcome === 'errored')).toEqual([])
    expect(findings.map(({ rule }) => rule)).toContain('django.secret-key-weak')
    expect(findings.map(({ rule }) => rule)).not.toContain('django.does-not-boot')
  },
)

test.skipIf(django === null)(
  'settings that only a variable of the deployment names are not said to fail',
  async () => {
    const wsgi = 'from django.core.wsgi import get_wsgi_application\n\napplication = get_wsgi_application()\n'
    const files = { 'manage.py': 'import django\n', 'shop/__init__.py': '', 'shop/wsgi.py': wsgi }
    const { findings } = await check(files, django)
    expect(findings.map(({ rule, message }) => `${rule}: ${message}`)).toEqual([
      'django.not-booted: The settings were not read: nothing names them.',
    ])
  },
)

test.skipIf(bare === null)('settings that are no Python are not passed over', async () => {
  const broken = [
    '\0\0\0',
    'x'.repeat(3_000_000),
    `A = ${'['.repeat(3000)}`,
    `if A:\n    B = 1\n${'elif A:\n    B = 1\n'.repeat(2000)}`,
  ]
  for (const text of broken) {
    const { findings, rules: results } = await check({ ...MANAGE, [SETTINGS]: text }, bare)
    expect(results.filter(({ outcome }) => outcome === 'errored')).toEqual([])
    expect(findings.map(({ rule }) => rule)).toContain('django.not-booted')
  }
})
