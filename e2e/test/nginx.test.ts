import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ensureDebian, requirePart } from '@havn/tools/parts'
import { copyApp, examplesDirectory, freePort, runPlatform, startPlatform } from '../src/index.ts'
import type { RunningProgram } from '../src/index.ts'

const nginx = await requirePart('nginx', () => ensureDebian('nginx', 'nginx-light'))

describe.skipIf(nginx === null)('polls with proxy = "nginx"', () => {
  let app: Awaited<ReturnType<typeof copyApp>>
  let port: number
  let platform: RunningProgram

  const configure = (more = '') =>
    writeFile(join(app.directory, 'platform.config.toml'), `proxy = "nginx"\nworkers = 1\n${more}`)
  const get = (path: string) => fetch(`http://127.0.0.1:${port}${path}`)

  beforeAll(async () => {
    app = await copyApp(join(examplesDirectory, 'polls'))
    port = await freePort()
    await configure('[edge.compression]\nencodings = ["gzip", "br"]\n')
    platform = startPlatform(['up', app.directory, '--bind', `127.0.0.1:${port}`])
    await platform.waitFor(/Ctrl-C stops it/, 300_000)
  }, 320_000)
  afterAll(async () => {
    await platform?.dispose()
    await app?.remove()
  })

  test('nginx answers, with the app and its files behind it', async () => {
    const page = await get('/polls/')
    expect([page.status, page.headers.get('server')]).toEqual([200, 'nginx'])
    expect(await page.text()).toMatch(/href="\/polls\/\d+\/"/)
    const login = await (await get('/admin/login/')).text()
    const [, href = ''] = /<link[^>]+href="([^"]+\.css)"/.exec(login) ?? []
    const sheet = await get(href)
    expect([sheet.status, sheet.headers.get('server')]).toEqual([200, 'nginx'])
    // Weak, since it is compressed on the way.
    expect(sheet.headers.get('etag')).toMatch(/^W\/"[^"]+"$/)
  })

  test('says what it does without', () => {
    expect(platform.stderr()).toContain(
      'warning: proxy.nginx: edge.compression.encodings: nginx compresses by gzip alone.',
    )
  })

  test('is shown by status, and explained', async () => {
    const status = await runPlatform(['status', app.directory])
    expect(status.stdout).toMatch(/nginx .*ready/)
    const explained = await runPlatform(['explain', 'proxy', '--directory', app.directory])
    expect(explained.stdout).toContain('proxy: proxy.nginx')
    expect(explained.stdout).toContain('proxy.edge.compression.encodings: not done')
  })

  test('reloads while it serves', async () => {
    const reload = await runPlatform(['reload', app.directory])
    expect([reload.code, reload.stderr]).toEqual([0, expect.not.stringContaining('error')])
    expect((await get('/polls/')).status).toBe(200)
  })

  test('does not begin where it would have to answer otherwise than it is told', async () => {
    await configure('[[edge.limits.rates]]\nrequests = 1\nperMs = 3600000\n')
    const down = await runPlatform(['down', app.directory])
    expect(down.code).toBe(0)
    expect(await platform.finished).toMatchObject({ code: 0 })
    const refused = await runPlatform(['up', app.directory, '--bind', `127.0.0.1:${port}`])
    expect(refused.code).toBe(2)
    expect(refused.stderr).toContain('HAVN_ERR_PROXY_UNSUPPORTED')
    expect(refused.stderr).toContain('edge.limits.rates.0.requests')
  })
})
