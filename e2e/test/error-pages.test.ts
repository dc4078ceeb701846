import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ensureDebian, requirePart } from '@havn/tools/parts'
import { startEdge } from '../../packages/proxy/test/edge-server.ts'
import { Chromium } from './browser/chromium.ts'
import type { View } from './browser/chromium.ts'

const program = await requirePart('chromium', () => ensureDebian('chromium'))

const views: [name: string, view: View][] = [
  ['a wide window', { width: 1280, height: 800, scheme: 'light' }],
  ['a wide window, dark', { width: 1280, height: 800, scheme: 'dark' }],
  ['a narrow telephone', { width: 320, height: 568, scheme: 'light' }],
  ['a narrow telephone, dark', { width: 320, height: 568, scheme: 'dark' }],
]

/** What an edge answers, and where. */
const pages: [status: number, title: string, path: string][] = [
  [400, 'Bad Request', '/a%00b'],
  [404, 'Not Found', '/static/missing'],
  [414, 'URI Too Long', `/${'x'.repeat(5_000)}`],
  [429, 'Too Many Requests', '/often'],
  [502, 'Bad Gateway', '/gone'],
  [504, 'Gateway Timeout', '/slow'],
]

/** Pictures go there, where somebody wants to look at them. */
const pictures = process.env['HAVN_SCREENSHOTS']

describe.skipIf(program === null)('in a browser', () => {
  const folder = mkdtempSync(join(tmpdir(), 'havn-error-pages-'))
  const silent = createServer(() => {})
  let browser: Chromium
  let edge: Awaited<ReturnType<typeof startEdge>>
  let closed: Awaited<ReturnType<typeof startEdge>>

  beforeAll(async () => {
    browser = await Chromium.start(program!)
    silent.listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const tcp = (port: number) => ({ address: { type: 'tcp' as const, host: '127.0.0.1', port } })
    const own = '<!doctype html><title>own</title><style>p{color:red}</style><p>own'
    writeFileSync(join(folder, 'own.html'), own)
    edge = await startEdge({
      // Its policy allows no style of any page's own.
      security: { profile: 'strict' },
      staticFiles: [{ url: '/static/', directory: folder, kind: 'static' }],
      upstreams: {
        gone: tcp(1),
        slow: { ...tcp((silent.address() as AddressInfo).port), responseTimeoutMs: 50 },
      },
      routes: [
        { match: { path: '/slow' }, to: { type: 'upstream', upstream: 'slow' } },
        { to: { type: 'upstream', upstream: 'gone' } },
      ],
      limits: { rates: [{ match: { path: '/often' }, requests: 1, perMs: 3_600_000, burst: 1 }] },
    })
    closed = await startEdge({ maintenance: {}, security: { profile: 'strict' } })
    await fetch(`http://127.0.0.1:${edge.port}/often`)
  }, 60_000)

  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]()
    await edge?.[Symbol.asyncDispose]()
    await closed?.[Symbol.asyncDispose]()
    silent.closeAllConnections()
    silent.close()
    rmSync(folder, { recursive: true })
  })

  /** Brightness of a color as the browser tells it, 0 to 255. */
  const brightness = (color: unknown) => {
    const [red = 0, green = 0, blue = 0] = String(color).match(/\d+/g)!.map(Number)
    return 0.299 * red + 0.587 * green + 0.114 * blue
  }

  async function expectWell(url: string, view: View, name: string, [status, title]: [number, string]) {
    const page = await browser.open(url, view)
    if (pictures) {
      mkdirSync(pictures, { recursive: true })
      writeFileSync(join(pictures, `${name}-${view.width}-${view.scheme}.png`), await page.screenshot())
    }
    expect([page.status, await page.value("document.querySelector('h1').textContent")]).toEqual([
      status,
      title,
    ])
    expect(page.complaints).toEqual([])
    const style = async (of: string) => brightness(await page.value(`getComputedStyle(document.body).${of}`))
    const [ground, ink] = [await style('backgroundColor'), await style('color')]
    // The page's own style, and that of the reader's system, is in force, and its text can be read.
    expect([ground, ink].map((value) => value > 128)).toEqual(
      view.scheme === 'dark' ? [false, true] : [true, false],
    )
    expect(Math.abs(ground - ink)).toBeGreaterThan(150)
    expect(await page.value('document.documentElement.scrollWidth <= innerWidth')).toBe(true)
    expect(await page.value('document.documentElement.scrollHeight <= innerHeight')).toBe(true)
  }

  describe.each(views)('in %s', (_name, view) => {
    test.each(pages)('the page of %i', async (status, title, path) => {
      await expectWell(`http://127.0.0.1:${edge.port}${path}`, view, String(status), [status, title])
    })

    test('the page of a site under maintenance', async () => {
      const url = `http://127.0.0.1:${closed.port}/`
      await expectWell(url, view, 'maintenance', [503, 'Service Unavailable'])
    })
  })

  test('breaks a policy where a page does: what the others are held to can fail', async () => {
    await using own = await startEdge({
      security: { profile: 'strict' },
      errors: { pages: { 404: join(folder, 'own.html') } },
      staticFiles: [{ url: '/static/', directory: folder, kind: 'static' }],
    })
    const page = await browser.open(`http://127.0.0.1:${own.port}/static/missing`, views[0]![1])
    expect(page.status).toBe(404)
    await expect.poll(() => page.complaints.join()).toMatch(/Content.?Security.?Policy/i)
  })
})
