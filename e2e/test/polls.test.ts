import { connect } from 'node:net'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ensureDebian, requirePart } from '@havn/tools/parts'
import {
  BrowserSession,
  copyApp,
  examplesDirectory,
  freePort,
  processesOfGroup,
  startPlatform,
  type RunningProgram,
} from '../src/index.ts'

const hasNginx = (await requirePart('nginx', () => ensureDebian('nginx', 'nginx-light'))) !== null

describe.each([
  ['gateway', 'edge'],
  ['gunicorn', 'edge'],
  ['uwsgi', 'edge'],
  ['gateway', 'nginx'],
  ['uwsgi', 'nginx'],
])('polls with server = "%s", proxy = "%s"', (server, proxy) => {
  if (proxy === 'nginx' && !hasNginx) return test.skip('nginx is missing')

  let app: Awaited<ReturnType<typeof copyApp>>
  let port: number
  let platform: RunningProgram
  let browser: BrowserSession

  const start = async () => {
    platform = startPlatform(['up', app.directory, '--bind', `127.0.0.1:${port}`, '--workers', '2'])
    await platform.waitFor(/Ctrl-C stops it/, 300_000)
  }

  beforeAll(async () => {
    app = await copyApp(join(examplesDirectory, 'polls'))
    await writeFile(join(app.directory, 'platform.config.toml'), `server = "${server}"\nproxy = "${proxy}"\n`)
    port = await freePort()
    browser = new BrowserSession(`http://127.0.0.1:${port}/`)
    await start()
  })
  afterAll(async () => {
    await platform?.dispose()
    await app?.remove()
  })

  test('says each step with its time, and the address', () => {
    const progress = platform.stderr()
    for (const step of [
      /✓ .*virtual environment .*\d m?s/i,
      /✓ .*requirements .*\d m?s/i,
      /✓ .*migrat.* \d/i,
    ]) {
      expect(progress).toMatch(step)
    }
    expect(progress).toMatch(/✓ .*static.* \d/i)
    expect(progress).toContain(`http://127.0.0.1:${port}/`)
  })

  test('lists questions out of SQLite', async () => {
    const page = await browser.get('/polls/')
    expect(page.status).toBe(200)
    expect(page.body).toMatch(/href="\/polls\/\d+\/"/)
  })

  test('counts a CSRF-protected vote', async () => {
    const list = await browser.get('/polls/')
    const id = /href="\/polls\/(\d+)\/"/.exec(list.body)?.[1]
    const votes = async () => {
      const { body } = await browser.get(`/polls/${id}/results/`)
      return [...body.matchAll(/(\d+)\s*(?:<[^>]*>\s*)*votes?/g)].reduce(
        (sum, match) => sum + Number(match[1]),
        0,
      )
    }
    const detail = await browser.get(`/polls/${id}/`)
    const choice = /name="choice"[^>]*value="(\d+)"/.exec(detail.body)?.[1] ?? ''
    const before = await votes()

    const voted = await browser.submit(`/polls/${id}/`, `/polls/${id}/vote/`, { choice })
    expect(voted.status).toBe(302)
    expect(await votes()).toBe(before + 1)

    const forged = await browser.post(`/polls/${id}/vote/`, { choice })
    expect(forged.status).toBe(403)
    expect(await votes()).toBe(before + 1)
  })

  test('shows /admin/ with its CSS', async () => {
    const login = await browser.get('/admin/login/')
    expect(login.status).toBe(200)
    const hrefs = [...login.body.matchAll(/<link[^>]+href="([^"]+\.css)"/g)].map((match) => match[1]!)
    expect(hrefs.length).toBeGreaterThan(0)
    for (const href of hrefs) {
      const sheet = await browser.get(href)
      expect(sheet.status, href).toBe(200)
      expect(sheet.headers.get('content-type')).toMatch(/^text\/css/)
    }
  })

  test('logs each request', async () => {
    await browser.get('/polls/?from=log-test')
    await platform.waitFor(/\/polls\//, 5_000)
    expect(platform.stdout()).toMatch(/"?GET"?/)
  })

  test('drains on SIGTERM, exits 0, frees the port, leaves no process; a second run uses its cache', async () => {
    platform.kill('SIGTERM')
    expect(await platform.finished).toMatchObject({ code: 0 })
    expect(await processesOfGroup(platform.pid)).toEqual([])
    await expect(connects(port)).resolves.toBe(false)

    await start()
    expect(platform.stderr()).not.toMatch(/✓ .*(virtual environment|requirements|migrat|static)/i)
    expect((await browser.get('/polls/')).status).toBe(200)
    platform.killGroup('SIGINT')
    expect(await platform.finished).toMatchObject({ code: 0 })
    expect(await processesOfGroup(platform.pid)).toEqual([])
  })
})

function connects(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
