import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PythonProject } from '@havn/model'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { planInstall } from './plan-install.ts'

let root: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'havn-plan-'))
})
afterEach(() => rm(root, { recursive: true }))

const interpreter = {
  version: '3.11.7',
  executable: '/venv/bin/python',
  base: '/usr/bin/python3',
  hasPip: true,
}
const pip = '-m pip install --disable-pip-version-check --no-input --progress-bar off'

async function plan(manager: PythonProject['manager'], files: Record<string, string>, extras: string[] = []) {
  for (const [name, text] of Object.entries(files)) await writeFile(join(root, name), text)
  const { commands, note } = await planInstall(
    {
      root,
      project: { language: 'python', manager, files: Object.keys(files) },
      env: { PATH: root },
      extraRequirements: extras,
      install: true,
      onEvent: () => {},
      signal: new AbortController().signal,
    },
    { interpreter, environment: '/venv' },
  )
  return { note, lines: commands.map(({ command, args }) => [command, ...args].join(' ')), commands }
}

async function installTool(name: string) {
  await writeFile(join(root, name), '#!/bin/sh\n')
  await chmod(join(root, name), 0o755)
}

it('installs requirements together with what the server needs', async () => {
  const { lines } = await plan('pip', { 'requirements.txt': 'flask\n' }, ['gunicorn>=23'])
  expect(lines).toEqual([`/venv/bin/python ${pip} -r ${root}/requirements.txt gunicorn>=23`])
})

it('installs the dependencies of pyproject.toml, not the project', async () => {
  const { lines } = await plan('pip', {
    'pyproject.toml': '[project]\ndependencies = ["flask>=3", "gevent"]\n',
  })
  expect(lines).toEqual([`/venv/bin/python ${pip} flask>=3 gevent`])
})

it('lets the build system name dynamic dependencies', async () => {
  const { lines } = await plan('pip', { 'pyproject.toml': '[project]\ndynamic = ["dependencies"]\n' })
  expect(lines).toEqual([`/venv/bin/python ${pip} ${root}`])
})

it('uses uv and its lock where uv is on the PATH', async () => {
  await installTool('uv')
  const files = { 'pyproject.toml': '[project]\ndependencies = ["flask"]\n', 'uv.lock': '' }
  const { lines, commands } = await plan('uv', files, ['gunicorn'])
  expect(lines).toEqual([
    `${root}/uv sync --frozen --inexact --no-dev --no-progress --python /venv/bin/python`,
    `/venv/bin/python ${pip} gunicorn`,
  ])
  expect(commands[0]?.env['UV_PROJECT_ENVIRONMENT']).toBe('/venv')
})

it('uses pip where uv is not on the PATH, and says so', async () => {
  const files = { 'pyproject.toml': '[project]\ndependencies = ["flask"]\n', 'uv.lock': '' }
  const { lines, note } = await plan('uv', files)
  expect(lines).toEqual([`/venv/bin/python ${pip} flask`])
  expect(note).toContain('uv is not on the PATH')
})

it("reads Poetry's table where poetry is not on the PATH", async () => {
  const { lines } = await plan('poetry', {
    'pyproject.toml':
      '[tool.poetry.dependencies]\npython = "^3.10"\nflask = "^3.0"\nuvicorn = { version = "*", extras = ["standard"] }\n',
  })
  expect(lines).toEqual([`/venv/bin/python ${pip} flask>=3.0,<4 uvicorn[standard]`])
})

it('says when only poetry can install it', async () => {
  const files = { 'pyproject.toml': '[tool.poetry.dependencies]\nlocal = { path = "../local" }\n' }
  await expect(plan('poetry', files)).rejects.toMatchObject({ code: 'HAVN_ERR_REQUIREMENTS_TOOL' })
  await installTool('poetry')
  expect((await plan('poetry', files)).lines[0]).toContain('/poetry install')
})
