import { once } from 'node:events'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request as requestPlain } from 'node:http'
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { makeCertificate, makeExpiredCertificate } from '../../packages/http/test/make-certificate.ts'
import { copyApp, examplesDirectory, freePort, startPlatform, type RunningProgram } from '../src/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'havn-e2e-tls-'))
afterAll(() => rmSync(folder, { recursive: true }))
const shop = makeCertificate(folder, ['shop.test'])
const renewed = makeCertificate(folder, ['renewed.test'])
const expired = makeExpiredCertificate(folder, ['expired.test'])

interface Answer {
  status: number
  headers: IncomingHttpHeaders
  body: string
}

/** One request, whoever the certificate is from; over plain HTTP where the URL says so. */
async function send(
  url: string,
  {
    method = 'GET',
    headers = {},
    body,
  }: { method?: string; headers?: OutgoingHttpHeaders; body?: string } = {},
): Promise<Answer> {
  const options = { method, headers, agent: false as const, rejectUnauthorized: false }
  const outgoing = url.startsWith('https:') ? request(url, options) : requestPlain(url, options)
  outgoing.end(body)
  const [response] = await once(outgoing, 'response')
  const parts: Buffer[] = []
  for await (const part of response) parts.push(part)
  return { status: response.statusCode, headers: response.headers, body: Buffer.concat(parts).toString() }
}

async function nameAt(port: number): Promise<string | undefined> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
  await once(socket, 'secureConnect')
  const { subjectaltname } = socket.getPeerCertificate()
  socket.destroy()
  return subjectaltname
}

describe.each(['gateway', 'gunicorn', 'uwsgi'])('polls with server = "%s" over TLS', (server) => {
  let app: Awaited<ReturnType<typeof copyApp>>
  let platform: RunningProgram
  let port: number
  let plainPort: number
  let base: string

  beforeAll(async () => {
    app = await copyApp(join(examplesDirectory, 'polls'))
    ;[port, plainPort] = [await freePort(), await freePort()]
    base = `https://127.0.0.1:${port}`
    copyFileSync(shop.cert, join(app.directory, 'cert.pem'))
    copyFileSync(shop.key, join(app.directory, 'key.pem'))
    writeFileSync(
      join(app.directory, 'platform.config.toml'),
      `server = "${server}"
bind = "127.0.0.1:${port}"
[tls]
cert = "cert.pem"
key = "key.pem"
redirectFrom = "127.0.0.1:${plainPort}"
`,
    )
    platform = startPlatform(['up', app.directory, '--workers', '2'])
    await platform.waitFor(/Ctrl-C stops it/, 300_000)
  })
  afterAll(async () => {
    await platform?.dispose()
    await app?.remove()
  })

  test('says its address with https', async () => {
    expect(platform.stderr()).toContain(`${base}/`)
    expect(await nameAt(port)).toBe('DNS:shop.test')
  })

  test('takes a form whose origin is https, and no other', async () => {
    const list = await send(`${base}/polls/`)
    const id = /href="\/polls\/(\d+)\/"/.exec(list.body)?.[1]
    const page = await send(`${base}/polls/${id}/`)
    const token = /name="csrfmiddlewaretoken" value="([^"]+)"/.exec(page.body)?.[1] ?? ''
    const choice = /name="choice"[^>]*value="(\d+)"/.exec(page.body)?.[1] ?? ''
    const cookie = page.headers['set-cookie']?.map((line) => line.split(';')[0]).join('; ')
    const vote = (origin: string) =>
      send(`${base}/polls/${id}/vote/`, {
        method: 'POST',
        headers: { cookie, origin, 'content-type': 'application/x-www-form-urlencoded' },
        body: String(new URLSearchParams({ choice, csrfmiddlewaretoken: token })),
      })
    // Django allows the scheme of the request itself: it has to know that it was https.
    expect((await vote(base)).status).toBe(302)
    expect((await vote(base.replace('https', 'http'))).status).toBe(403)
  })

  test('sends clients of plain HTTP to https', async () => {
    const { status, headers } = await send(`http://127.0.0.1:${plainPort}/polls/?page=1`)
    expect(status).toBe(308)
    expect(headers.location).toBe(`${base}/polls/?page=1`)
  })

  test('serves static files over it', async () => {
    const { body } = await send(`${base}/admin/login/`)
    const css = /href="(\/static\/[^"]+\.css)"/.exec(body)?.[1]
    expect(await send(`${base}${css}`)).toMatchObject({ status: 200 })
  })

  test('takes a new certificate when the files change, and at a reload', async () => {
    copyFileSync(renewed.cert, join(app.directory, 'cert.pem'))
    copyFileSync(renewed.key, join(app.directory, 'key.pem'))
    if (server === 'gateway') {
      const reload = startPlatform(['reload', app.directory])
      onTestFinished(() => reload.dispose())
      expect((await reload.finished).code).toBe(0)
      expect(await nameAt(port)).toBe('DNS:renewed.test')
    }
    await vi.waitFor(async () => expect(await nameAt(port)).toBe('DNS:renewed.test'), 30_000)
    expect((await send(`${base}/polls/`)).status).toBe(200)
  })
})

describe('platform serve', () => {
  const hello = join(examplesDirectory, 'hello')
  const flags = (files: { cert: string; key: string }) => ['--tls-cert', files.cert, '--tls-key', files.key]

  test('chooses among certificates by name', async () => {
    const [port, plainPort] = [await freePort(), await freePort()]
    const binds = ['--bind', `127.0.0.1:${port}`, '--redirect-from', `127.0.0.1:${plainPort}`]
    const certificates = [...flags(shop), ...flags(renewed)]
    const program = startPlatform(['serve', './fetch.ts', '-d', hello, ...binds, ...certificates])
    onTestFinished(() => program.dispose())
    await program.waitFor(new RegExp(`Serving .* on https://127\\.0\\.0\\.1:${port}/`))
    expect((await send(`https://127.0.0.1:${port}/`)).status).toBe(200)
    expect((await send(`http://127.0.0.1:${plainPort}/`)).status).toBe(308)
    const socket = connect({
      port,
      host: '127.0.0.1',
      servername: 'renewed.test',
      rejectUnauthorized: false,
    })
    await once(socket, 'secureConnect')
    expect(socket.getPeerCertificate().subjectaltname).toBe('DNS:renewed.test')
    socket.destroy()
  })

  test.each([
    ['an expired certificate', flags(expired), 'HAVN_ERR_HTTP_TLS_EXPIRED', expired.cert],
    ['the key of another', flags({ ...shop, key: renewed.key }), 'HAVN_ERR_HTTP_TLS_KEY', renewed.key],
    [
      'a missing key',
      flags({ ...shop, key: join(folder, 'none') }),
      'HAVN_ERR_HTTP_TLS_FILE',
      join(folder, 'none'),
    ],
    ['a certificate without a key', ['--tls-cert', shop.cert], 'HAVN_ERR_TLS_PAIR', '--tls-key'],
  ])('refuses %s', async (_what, given, code, place) => {
    const program = startPlatform(['serve', './fetch.ts', '-d', hello, '--bind', '127.0.0.1:0', ...given])
    onTestFinished(() => program.dispose())
    const { code: exit, stderr } = await program.finished
    expect(exit).toBe(2)
    expect(stderr).toContain(code)
    expect(stderr).toContain(place)
  })
})

describe('platform proxy', () => {
  async function start(tls: object) {
    const directory = mkdtempSync(join(tmpdir(), 'havn-tls-proxy-'))
    const file = join(directory, 'platform.config.json')
    const port = await freePort()
    const routes = [{ to: { type: 'respond', status: 200, body: 'here' } }]
    const write = (next: object) =>
      writeFileSync(file, JSON.stringify({ bind: `127.0.0.1:${port}`, edge: { routes }, tls: next }))
    write(tls)
    const program = startPlatform(['proxy', '--config', file], { cwd: directory })
    onTestFinished(async () => {
      await program.dispose()
      rmSync(directory, { recursive: true })
    })
    await program.waitFor(/Proxying on https:/)
    return { program, port, write }
  }

  test('takes other certificates at SIGHUP; wrong ones leave what serves', async () => {
    const { program, port, write } = await start(shop)
    expect((await send(`https://127.0.0.1:${port}/`)).body).toBe('here')
    write(expired)
    program.kill('SIGHUP')
    await program.waitFor(/HAVN_ERR_HTTP_TLS_EXPIRED/)
    expect(await nameAt(port)).toBe('DNS:shop.test')
    write(renewed)
    program.kill('SIGHUP')
    await vi.waitFor(async () => expect(await nameAt(port)).toBe('DNS:renewed.test'), 20_000)
  })
})

test('platform proxy --tls local serves a certificate that its authority signed, the same one each time', async () => {
  const data = mkdtempSync(join(folder, 'data-'))
  const authority = join(data, 'havn/local-authority/authority.crt')
  const serials: string[] = []
  for (const isFirst of [true, false]) {
    const port = await freePort()
    const args = ['proxy', '--static', `/=${folder}`, '--tls', 'local', '--bind', `127.0.0.1:${port}`]
    const program = startPlatform(args, { cwd: data, env: { XDG_DATA_HOME: data } })
    onTestFinished(() => program.dispose())
    await program.waitFor(/Proxying on https:/)
    expect(program.stderr().includes(authority)).toBe(isFirst)
    expect(program.output()).not.toContain('PRIVATE')
    for (const servername of ['localhost', undefined]) {
      const socket = connect({ port, host: '127.0.0.1', servername, ca: readFileSync(authority) })
      await once(socket, 'secureConnect')
      serials.push(socket.getPeerCertificate().serialNumber)
      socket.destroy()
    }
    program.kill('SIGTERM')
    await program.finished
  }
  expect(new Set(serials).size).toBe(1)
})
