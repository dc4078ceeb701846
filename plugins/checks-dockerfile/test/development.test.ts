import { checkFiles } from '@havn/checklist/testing'
import { expect, test } from 'vitest'
import { rules } from '../src/rules/index.ts'

const text =
  'FROM python:3.13-slim\nENV API_TOKEN=abc\nADD . /app\nCMD ["python", "manage.py", "runserver"]\n'

test.each([
  ['Dockerfile', 'error', 'warn'],
  ['deploy/web.Dockerfile', 'error', 'warn'],
  ['.devcontainer/Dockerfile', 'info', 'info'],
  ['Dockerfile.dev', 'info', 'info'],
  ['docker/test/Dockerfile', 'info', 'info'],
])('a development server in %s is %s', async (file, server, copy) => {
  const { findings } = await checkFiles(rules, { [file]: text })
  const severityOf = (id: string) => findings.find(({ rule }) => rule === id)?.severity
  expect(severityOf('dockerfile.development-server')).toBe(server)
  expect(severityOf('dockerfile.add-for-copy')).toBe(copy)
  expect(severityOf('dockerfile.secret-in-env')).toBe('error')
})
