import type { SourceTree } from '@havn/plugin-api'
import { describe, expect, it } from 'vitest'
import { detectDjango } from './detect.ts'

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
