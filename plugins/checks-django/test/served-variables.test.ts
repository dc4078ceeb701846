import { checkFiles } from '@havn/checklist/testing'
import { expect, test } from 'vitest'
import { rules } from '../src/rules/index.ts'
import { project } from './projects.ts'

const SETTINGS = project(
  'import os',
  'DEBUG = os.environ.get("DEBUG", "1") == "1"',
  'SECRET_KEY = os.environ["SECRET_KEY"]',
)

const service = (...variables: string[]) => ({
  'compose.yaml': `services:\n  web:\n    image: shop:1\n    command: gunicorn shop.wsgi\n    environment: [${variables.join(', ')}]\n`,
})

async function debugOf(files: Record<string, string>) {
  const only = rules.filter(({ id }) => id === 'django.debug-on')
  const { findings } = await checkFiles(only, { ...SETTINGS, ...files })
  return findings.map(({ severity, message, hint, place, related }) => ({
    severity,
    message,
    hint,
    at: `${place?.file}:${place?.line}`,
    related: related.map((each) => `${each.message}: ${each.place.file}:${each.place.line}`),
  }))
}

test('DEBUG that compose switches on is an error, and says where; one that it switches off is none', async () => {
  expect(await debugOf(service('DEBUG=1', 'SECRET_KEY=x'))).toEqual([
    {
      severity: 'error',
      message: 'DEBUG is on.',
      hint: 'Set DEBUG to what the settings take for false, in compose.yaml.',
      at: 'shop/settings.py:2',
      related: ['what sets DEBUG: compose.yaml:5'],
    },
  ])
  expect(await debugOf(service('DEBUG=0'))).toEqual([])
  expect(await debugOf(service('"DEBUG=${DEBUG}"'))).toEqual([])
})

test('where nothing sets it, what the settings have is told, more softly', async () => {
  expect(await debugOf(service('SECRET_KEY=x'))).toMatchObject([
    { severity: 'warn', message: 'DEBUG is on. The variable DEBUG may say otherwise.', related: [] },
  ])
})
