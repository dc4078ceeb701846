import { expect, it } from 'vitest'
import { readPythonProject } from './python-project.ts'
import type { SourceTree } from './source-tree.ts'

function treeOf(files: Record<string, string>): SourceTree {
  return {
    root: '/app',
    read: async (path) => files[path] ?? null,
    list: async (path = '.') => {
      const prefix = path === '.' ? '' : `${path}/`
      const below = Object.keys(files).filter((file) => file.startsWith(prefix))
      return [...new Set(below.map((file) => file.slice(prefix.length).replace(/\/.*/, '/')))].sort()
    },
  }
}

const pyproject = '[project]\nname = "shop"\nrequires-python = ">=3.10"\ndependencies = ["flask"]\n'
const poetry = '[tool.poetry.dependencies]\npython = "^3.9"\nflask = "^3.0"\n'

it.each([
  ['no file that names requirements', { 'app.py': '' }, { manager: 'none', files: [] }],
  ['requirements.txt', { 'requirements.txt': 'flask' }, { manager: 'pip', files: ['requirements.txt'] }],
  [
    'requirements of production before the common ones',
    { 'requirements/base.txt': '', 'requirements/production.txt': '' },
    { manager: 'pip', files: ['requirements/production.txt'] },
  ],
  [
    'pyproject.toml alone',
    { 'pyproject.toml': pyproject },
    { manager: 'pip', files: ['pyproject.toml'], requiresPython: '>=3.10' },
  ],
  [
    'requirements.txt beside pyproject.toml',
    { 'pyproject.toml': pyproject, 'requirements.txt': '' },
    { manager: 'pip', files: ['requirements.txt'], requiresPython: '>=3.10' },
  ],
  [
    'uv.lock before all',
    { 'pyproject.toml': pyproject, 'uv.lock': '', 'requirements.txt': '' },
    { manager: 'uv', files: ['pyproject.toml', 'uv.lock'], requiresPython: '>=3.10' },
  ],
  [
    'poetry.lock',
    { 'pyproject.toml': poetry, 'poetry.lock': '' },
    { manager: 'poetry', files: ['pyproject.toml', 'poetry.lock'], requiresPython: '>=3.9,<4' },
  ],
  [
    "Poetry's table without a lock",
    { 'pyproject.toml': poetry },
    { manager: 'poetry', files: ['pyproject.toml'], requiresPython: '>=3.9,<4' },
  ],
  [
    'a pyproject.toml that only configures tools',
    { 'pyproject.toml': '[tool.ruff]\nline-length = 100\n' },
    { manager: 'none', files: [] },
  ],
  [
    'a pyproject.toml that is not TOML',
    { 'pyproject.toml': '[project', 'requirements.txt': '' },
    { manager: 'pip', files: ['requirements.txt'] },
  ],
])('%s', async (_, files, expected) => {
  expect(await readPythonProject(treeOf(files as Record<string, string>))).toEqual({
    language: 'python',
    ...expected,
  })
})

it('names files from the root when the project lies in a folder', async () => {
  const tree = treeOf({ 'server/requirements.txt': 'django' })
  expect((await readPythonProject(tree, 'server')).files).toEqual(['server/requirements.txt'])
})
