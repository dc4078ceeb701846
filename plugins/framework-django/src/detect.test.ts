import type { SourceTree } from '@havn/plugin-api'
import { describe, expect, it } from 'vitest'
import { detectDjango } from './detect.ts'
import { readDjangoProject, readSettingsHint } from './read-project.ts'

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

const manage = (module: string) =>
  `import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "${module}")\nimport django\n`

describe('detection', () => {
  it('knows Django by manage.py', async () => {
    const tree = treeOf({ 'manage.py': manage('shop.settings'), 'requirements.txt': 'Django' })
    expect(await detectDjango(tree, { env: {} })).toMatchObject({
      confidence: 1,
      project: { manager: 'pip', files: ['requirements.txt'] },
      evidence: [{ because: 'manage.py names shop.settings', file: 'manage.py', line: 2 }],
    })
  })

  it("leaves other frameworks' manage.py alone", async () => {
    expect(
      await detectDjango(treeOf({ 'manage.py': 'from flask_script import Manager\n' }), { env: {} }),
    ).toBeNull()
  })

  it('knows it by wsgi.py alone', async () => {
    const tree = treeOf({ 'shop/wsgi.py': manage('shop.settings') })
    expect(await detectDjango(tree, { env: {} })).toMatchObject({ confidence: 0.9 })
  })

  it('knows it by the settings that the deployment names', async () => {
    const options = { env: { DJANGO_SETTINGS_MODULE: 'shop.settings' } }
    expect(await detectDjango(treeOf({}), options)).toMatchObject({ confidence: 0.9 })
  })

  it('leaves JavaScript entries to others', async () => {
    const tree = treeOf({ 'manage.py': manage('shop.settings') })
    expect(await detectDjango(tree, { env: {}, entry: './server.ts' })).toBeNull()
  })
})

describe('the project in a tree', () => {
  it('lies one folder down; samples come last, tests and environments never', async () => {
    const project = await readDjangoProject(
      treeOf({
        '.venv/manage.py': manage('a.settings'),
        'docs/manage.py': manage('b.settings'),
        'example/manage.py': manage('c.settings'),
        'tests/manage.py': manage('d.settings'),
        'web/manage.py': manage('e.settings'),
      }),
    )
    expect(project?.manage?.file).toBe('web/manage.py')
  })

  it("prefers the entry beside the settings to another package's", async () => {
    const project = await readDjangoProject(
      treeOf({
        'manage.py': manage('config.settings.local'),
        'api/wsgi.py': manage('api.settings'),
        'config/wsgi.py': manage('config.settings.production'),
        'config/settings/local.py': '',
      }),
    )
    expect(project?.wsgi).toMatchObject({
      module: 'config.wsgi',
      settings: { module: 'config.settings.production' },
    })
  })
})

it.each([
  [`os.environ.setdefault("DJANGO_SETTINGS_MODULE", "a.b")`, 'a.b'],
  [`os.environ['DJANGO_SETTINGS_MODULE'] = 'a.b'`, 'a.b'],
  [`os.environ.setdefault(\n    "DJANGO_SETTINGS_MODULE",\n    "a.b",\n)`, 'a.b'],
  [`os.environ.setdefault("DJANGO_SETTINGS_MODULE", choose())`, undefined],
])('%s', (text, module) => {
  expect(readSettingsHint('manage.py', text)?.module).toBe(module)
})
