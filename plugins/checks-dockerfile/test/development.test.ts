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

test('the names of Dockerfiles, and what is none', async () => {
  const bad = 'FROM python:3.13-slim\nADD . /app\n'
  const names = [
    'Dockerfile-ldap',
    'Dockerfile_nginx',
    'web.Dockerfile',
    'Containerfile',
    'a/Dockerfile.prod',
  ]
  const others = ['Dockerfile.j2', 'Dockerfile.md', 'Dockerfile.dockerignore', '{{name}}/Dockerfile']
  const { findings } = await checkFiles(
    rules,
    Object.fromEntries([...names, ...others].map((name) => [name, bad])),
  )
  const found = findings.filter(({ rule }) => rule === 'dockerfile.add-for-copy')
  expect(found.map(({ place }) => place?.file).toSorted()).toEqual(names.toSorted())
})
