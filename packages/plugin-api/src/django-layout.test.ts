import { describe, expect, it } from 'vitest'
import { readDjangoLayout, readDjangoLayouts, readSettingsHint } from './django-layout.ts'
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

const manage = (module: string) =>
  `import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "${module}")\nimport django\n`

describe('the project in a tree', () => {
  it('lies one folder down; samples come last, tests and environments never', async () => {
    const project = await readDjangoLayout(
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

  it('is one of several, and samples count where there is nothing else', async () => {
    const files = {
      'services/api/manage.py': manage('a.settings'),
      'services/shop/manage.py': manage('b.settings'),
      'example/manage.py': manage('c.settings'),
    }
    const found = async (tree: SourceTree) =>
      (await readDjangoLayouts(tree)).map(({ directory }) => directory)
    expect(await found(treeOf(files))).toEqual(['services/api', 'services/shop'])
    expect(await found(treeOf({ 'example/manage.py': files['example/manage.py'] }))).toEqual(['example'])
    expect(await found(treeOf({ 'setup.py': '' }))).toEqual([])
  })

  it("prefers the entry beside the settings to another package's", async () => {
    const project = await readDjangoLayout(
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
  [
    `# os.environ["DJANGO_SETTINGS_MODULE"] = "c"\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "a.b")`,
    'a.b',
  ],
  [`os.environ.setdefault("DJANGO_SETTINGS_MODULE", choose())`, undefined],
])('%s', (text, module) => {
  expect(readSettingsHint('manage.py', text)?.module).toBe(module)
})
