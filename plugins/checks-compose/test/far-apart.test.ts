import { checkFiles } from '@havn/checklist/testing'
import { expect, test } from 'vitest'
import { rules } from '../src/rules/index.ts'

const extra =
  'services:\n  web:\n    image: a:1\n    depends_on: [db]\n    volumes: ["logs:/logs", "/var/lib/shop:/data"]\n'

test.each([
  ['in no file', 'services: {app: {image: "a:1"}}\n', ['error', 'likely']],
  ['of another folder', 'services: {db: {image: "a:1"}}\nvolumes: {logs: }\n', ['info', 'possible']],
])('what a file needs and does not have, %s', async (_name, main, expected) => {
  const { findings } = await checkFiles(rules, { 'compose.yaml': main, 'extra/compose.yaml': extra })
  const gradeOf = (id: string) =>
    findings.filter(({ rule }) => rule === id).map(({ severity, confidence }) => [severity, confidence])
  expect(gradeOf('compose.dependency-unknown')).toEqual([expected])
  expect(gradeOf('compose.undeclared')).toEqual([expected])
  expect(gradeOf('compose.host-directory')).toEqual([['info', 'possible']])
})

test('a file that others are laid over has a name of its own', async () => {
  const files = {
    'docker/default.yml': 'services:\n  db:\n    image: a:1\nvolumes:\n  logs:\n',
    'extra/compose.yaml': extra,
  }
  const { findings } = await checkFiles(rules, files)
  expect(findings.filter(({ severity }) => severity === 'error')).toEqual([])
})

test('a workflow is no compose file', async () => {
  const files = {
    '.github/workflows/deploy-docker-compose.yml': 'on: push\njobs:\n  deploy:\n    runs-on: x\n',
    'compose.yaml': 'services:\n  web:\n    image: a:1\n',
  }
  const { findings } = await checkFiles(rules, files)
  expect(findings.filter(({ rule }) => rule === 'compose.unknown-key')).toEqual([])
})
