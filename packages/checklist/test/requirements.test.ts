import { expect, test } from 'vitest'
import { requirements } from '../src/index.ts'
import { collectFact } from './collect-fact.ts'

test('lists, tables and locks, with the places of their versions', async () => {
  const found = await collectFact(requirements, {
    'requirements.txt':
      '# x\n-r base.txt\nDjango_Redis[hiredis]==5.4.0 ; python_version > "3"\ngunicorn>=20,<23  # why\ngit+https://x.test/y\n./local\nflask\n--hash=sha256:0\n',
    'requirements/dev.txt': 'pytest==8.0\n',
    'pyproject.toml':
      '[project]\nname = "x"\ndependencies = [\n  "gunicorn==22.0.0",\n  \'uvicorn[standard]>=0.30\',\n]\n[dependency-groups]\ndev = ["ruff"]\n[tool.poetry.dependencies]\npython = "^3.12"\ncelery = { version = "5.4.0", extras = ["x"] }\n',
    'uv.lock':
      'version = 1\n[[package]]\nname = "gunicorn"\nversion = "22.0.0"\nsource = { registry = "x" }\n',
    'Pipfile.lock': '{"default": {"gunicorn": {"version": "==21.2.0"}}, "develop": {"black": {}}}',
    'web/package.json':
      '{\n  "dependencies": { "express": "^4.18.0" },\n  "devDependencies": { "vite": "5.0.0" }\n}',
    'web/package-lock.json':
      '{\n  "packages": {\n    "node_modules/express": {\n      "version": "4.18.2",\n      "engines": { "node": ">= 0.10" }\n    }\n  }\n}\n',
  })
  const told = found!.map(({ name, version, specifier, isLocked, isDevelopment, place }) =>
    [
      place.file,
      place.line,
      name,
      version ?? '-',
      specifier || '-',
      isLocked ? 'locked' : '',
      isDevelopment ? 'dev' : '',
    ]
      .join(' ')
      .trim(),
  )
  expect(told.map((each) => each.replace(/ +/g, ' '))).toEqual([
    'Pipfile.lock 1 gunicorn 21.2.0 ==21.2.0 locked',
    'Pipfile.lock 1 black - - dev',
    'pyproject.toml 4 gunicorn 22.0.0 ==22.0.0 locked',
    'pyproject.toml 5 uvicorn - >=0.30',
    'pyproject.toml 8 ruff - - dev',
    'pyproject.toml 11 celery 5.4.0 5.4.0',
    'requirements.txt 3 django-redis 5.4.0 ==5.4.0 locked',
    'requirements.txt 4 gunicorn - >=20,<23',
    'requirements.txt 7 flask - -',
    'requirements/dev.txt 1 pytest 8.0 ==8.0 locked dev',
    'uv.lock 4 gunicorn 22.0.0 ==22.0.0 locked',
    'web/package-lock.json 4 express 4.18.2 4.18.2 locked',
    'web/package.json 2 express - ^4.18.0',
    'web/package.json 3 vite 5.0.0 5.0.0 dev',
  ])
})

test('files that are not what their names say', async () => {
  const broken = {
    'package.json': '{"dependencies": [1',
    'Pipfile.lock': '\0',
    'poetry.lock': '[[package',
    'pyproject.toml': '[project]\ndependencies = 3\n',
  }
  expect(await collectFact(requirements, broken)).toBeNull()
})
