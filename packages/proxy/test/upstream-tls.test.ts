import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { readFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { createServer } from 'node:https'
import type { Server, ServerOptions } from 'node:https'
import type { TLSSocket } from 'node:tls'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { makeCertificate, makeExpiredCertificate } from '../../http/test/make-certificate.ts'
import type { EdgeOptions } from '../src/index.ts'
import { exchange, get, portOf } from './edge-server.ts'
import type { UpstreamOptions } from './upstream-servers.ts'
import { addressOf, named, startEdgeTo, startHttp, startSocket, stop } from './upstream-servers.ts'

const folder = mkdtempSync(join(tmpdir(), 'havn-upstream-tls-'))
afterAll(() => rmSync(folder, { recursive: true }))
/** Each signs itself, and is its own authority. */
const shop = makeCertificate(folder, ['shop.internal'])
const other = makeCertificate(folder, ['other.internal'])
const expired = makeExpiredCertificate(folder, ['old.internal'])
const trusted = { ca: shop.cert, serverName: 'shop.internal' }

const post = get('/', { 'Content-Length': '3' }, 'POST') + 'abc'
const chunked = get('/', { 'Transfer-Encoding': 'chunked' }, 'POST') + '3\r\nabc\r\n0\r\n\r\n'
const handshake = get('/ws', { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Key': 'abc' })

async function startTls(
  listener: RequestListener,
  { cert, key }: { cert: string; key: string } = shop,
  more: ServerOptions = {},
): Promise<Server> {
  const pem = { cert: readFileSync(cert), key: readFileSync(key) }
  const server = createServer({ ...pem, ...more }, listener).listen(0, '127.0.0.1')
  server.on('tlsClientError', () => {})
  await once(server, 'listening')
  onTestFinished(() => void stop(server))
  return server
}

function to(server: { address(): unknown }, more: UpstreamOptions): EdgeOptions {
  return { upstream: { address: urlOf(server), ...more } }
}

function urlOf(server: { address(): unknown }): string {
  return `https://127.0.0.1:${portOf(server)}`
}

/** What the edge wrote to its log, as one text. */
function logged() {
  const lines: string[] = []
  const write = (fields: unknown, text?: string) => {
    const { err, ...rest } = fields as { err?: NodeJS.ErrnoException }
    lines.push(JSON.stringify({ ...rest, code: err?.code, text }))
  }
  return { logger: { debug: write, info: write, warn: write, error: write }, text: () => lines.join('\n') }
}

describe('over TLS', () => {
  test('requests of both lanes, tunnels and health checks reach a server that proves its name', async () => {
    const names = new Set<string | boolean>()
    const paths = new Set<string>()
    const server = await startTls((request, response) => {
      names.add((request.socket as TLSSocket & { servername: string | boolean }).servername)
      paths.add(request.url!)
      request.setEncoding('latin1')
      let body = ''
      request.on('data', (chunk: string) => (body += chunk)).on('end', () => response.end(`got ${body}`))
    })
    server.on('upgrade', (_request, socket) =>
      socket.end('HTTP/1.1 101 OK\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhi'),
    )
    const health = { path: '/health/', intervalMs: 100 }
    const { port } = await startEdgeTo(to(server, { tls: trusted, health }))
    expect(await exchange(port, get('/'))).toMatchObject({ status: 200, text: 'got ' })
    expect((await exchange(port, post)).text).toBe('got abc')
    expect((await exchange(port, chunked)).text).toBe('got abc')
    expect((await exchange(port, handshake)).text).toBe('hi')
    await vi.waitFor(() => expect(paths).toContain('/health/'), { timeout: 5_000 })
    expect(names).toEqual(new Set(['shop.internal']))
  })

  test('connections are kept, and a new one resumes the session of one before', async () => {
    let connections = 0
    const reused: boolean[] = []
    const server = await startTls((request, response) => {
      reused.push((request.socket as TLSSocket).isSessionReused())
      if (request.url === '/close') response.setHeader('Connection', 'close')
      response.end('ok')
    })
    server.on('secureConnection', () => (connections += 1))
    const { port } = await startEdgeTo(to(server, { tls: trusted }))
    for (const path of ['/', '/', '/close', '/']) await exchange(port, get(path))
    expect(connections).toBe(2)
    expect(reused).toEqual([false, false, false, true])
  })

  test('large bodies go both ways whole', async () => {
    const size = 3 * 1024 * 1024
    const server = await startTls((request, response) => void request.pipe(response))
    const { port } = await startEdgeTo(to(server, { tls: trusted }))
    const body = Buffer.alloc(size, 'abcdefgh')
    const response = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body })
    expect(Buffer.from(await response.arrayBuffer()).equals(body)).toBe(true)
  })

  test('a server that asks for a certificate gets it', async () => {
    const options = { requestCert: true, rejectUnauthorized: true, ca: readFileSync(other.cert) }
    const server = await startTls(named('mutual'), shop, options)
    const edge = await startEdgeTo(to(server, { tls: { ...trusted, ...other } }))
    expect((await exchange(edge.port, get('/'))).text).toBe('mutual')
    await edge.update(to(server, { tls: trusted }))
    for (const request of [get('/'), post]) expect((await exchange(edge.port, request)).status).toBe(502)
  })

  test('a reload reads the files anew', async () => {
    const server = await startTls(named('shop'))
    const ca = join(folder, 'ca.pem')
    copyFileSync(other.cert, ca)
    const config = to(server, { tls: { ca, serverName: 'shop.internal' } })
    const edge = await startEdgeTo(config)
    expect((await exchange(edge.port, get('/'))).status).toBe(502)
    copyFileSync(shop.cert, ca)
    await edge.update(config)
    expect((await exchange(edge.port, get('/'))).text).toBe('shop')
  })
})

describe('an authority', () => {
  const authority = makeCertificate(folder, ['authority.internal'])
  const leaf = sign('leaf.internal')

  /** A certificate of that authority. */
  function sign(name: string): { cert: string; key: string } {
    const [cert, key, request] = ['cert', 'key', 'request'].map((kind) => join(folder, `${name}.${kind}.pem`))
    const text = join(folder, `${name}.ext`)
    writeFileSync(text, `subjectAltName=DNS:${name}\n`)
    const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' })
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
    openssl('req', ...curve, '-keyout', key!, '-out', request!, '-subj', '/CN=leaf')
    const by = ['-CA', authority.cert, '-CAkey', authority.key, '-CAcreateserial']
    openssl('x509', '-req', '-in', request!, ...by, '-days', '2', '-extfile', text, '-out', cert!)
    return { cert: cert!, key: key! }
  }

  test('vouches for what it signed, also as one of several in a file', async () => {
    const ca = join(folder, 'several.pem')
    writeFileSync(ca, `# ours\n${readFileSync(other.cert, 'utf8')}\n${readFileSync(authority.cert, 'utf8')}`)
    const server = await startTls(named('leaf'), leaf)
    const { port } = await startEdgeTo(to(server, { tls: { ca, serverName: 'leaf.internal' } }))
    for (const request of [get('/'), post]) expect((await exchange(port, request)).text).toBe('leaf')
  })

  test.each([
    ['a file of others', { ca: other.cert }],
    ['this machine', {}],
  ])('that %s does not know is not believed, and the log says so', async (_name, tls) => {
    const log = logged()
    const server = await startTls(named('leaf'), leaf)
    const config = to(server, { tls: { serverName: 'leaf.internal', ...tls } })
    const { port } = await startEdgeTo(config, { logger: log.logger })
    for (const request of [get('/'), post]) expect((await exchange(port, request)).status).toBe(502)
    expect(log.text().match(/of an unknown authority/g)).toHaveLength(2)
  })
})

describe('a server that does not prove who it is', () => {
  const cases = [
    [
      'has expired',
      expired,
      { ca: expired.cert, serverName: 'old.internal' },
      'CERT_HAS_EXPIRED',
      'has expired',
    ],
    ['is for another name', shop, { ca: shop.cert }, 'ERR_TLS_CERT_ALTNAME_INVALID', 'is for another name'],
    ['is of an unknown authority', shop, { ca: other.cert }, 'DEPTH_ZERO_SELF_SIGNED_CERT', 'signs itself'],
    ['is unknown to this machine', shop, {}, 'DEPTH_ZERO_SELF_SIGNED_CERT', 'signs itself'],
  ] as const

  test.each(cases)('because its certificate %s gets no request', async (_name, files, tls, code, problem) => {
    const asked = vi.fn()
    const server = await startTls(asked, files)
    const log = logged()
    const { port } = await startEdgeTo(to(server, { tls }), { logger: log.logger })
    for (const request of [get('/'), post, chunked, handshake]) {
      const answer = await exchange(port, request)
      expect(answer.status).toBe(502)
      expect(answer.text).toBe('502 Bad Gateway\n')
    }
    expect(asked).not.toHaveBeenCalled()
    expect(log.text().match(new RegExp(code, 'g'))).toHaveLength(4)
    expect(log.text()).toContain(problem)
  })

  test('is left out for another one, whatever was asked for, and its checks fail', async () => {
    const [bad, good] = [await startTls(named('bad'), other), await startTls(named('good'))]
    const log = logged()
    const servers = [bad, good].map((server) => ({ address: urlOf(server) }))
    const upstream = { servers, tls: trusted, circuit: { failures: 1, openMs: 60_000 } }
    const edge = await startEdgeTo({ upstream }, { logger: log.logger })
    for (const request of [get('/'), post, chunked, get('/')])
      expect((await exchange(edge.port, request)).text).toBe('good')
    expect(log.text().match(/could not be reached/g)).toHaveLength(1)
    expect(log.text()).toContain('left out')
    const health = { path: '/', intervalMs: 100, unhealthyAfter: 1 }
    await edge.update({ upstream: { ...upstream, health } })
    await vi.waitFor(() => expect(log.text()).toContain('is not healthy'), { timeout: 5_000 })
  })

  test('is believed where insecure is written, with a warning', async () => {
    const log = logged()
    const server = await startTls(named('any'), expired)
    const { port } = await startEdgeTo(to(server, { tls: { insecure: true } }), { logger: log.logger })
    expect((await exchange(port, get('/'))).text).toBe('any')
    expect(log.text()).toContain('tls.insecure')
  })

  test.each([
    ['speaks plain HTTP', () => startHttp(named('plain')), 'does not speak TLS'],
    [
      'speaks TLS 1.2 only',
      () => startTls(named('1.2'), shop, { maxVersion: 'TLSv1.2' }),
      'no version of TLS',
    ],
  ])('because it %s is a 502, and the log says so', async (_name, start, problem) => {
    const log = logged()
    const tls = { ...trusted, minVersion: 'TLSv1.3' as const }
    const { port } = await startEdgeTo(to(await start(), { tls }), { logger: log.logger })
    for (const request of [get('/'), post]) expect((await exchange(port, request)).status).toBe(502)
    expect(log.text()).toContain(problem)
  })

  test('because it says nothing is a 504 in time', async () => {
    const server = await startSocket(() => {})
    const { port } = await startEdgeTo(to(server, { tls: trusted, connectTimeoutMs: 200 }))
    for (const request of [get('/'), post, chunked]) expect((await exchange(port, request)).status).toBe(504)
  })
})

test('a group may hold servers with and without TLS, also at names', async () => {
  const server = await startTls(named('tls'), makeCertificate(folder, ['localhost']))
  const plain = await startHttp(named('plain'))
  const servers = [
    { address: `https://localhost:${portOf(server)}` },
    { address: `http://127.0.0.1:${portOf(plain)}/` },
    { address: addressOf(await startHttp(named('bare'))) },
  ]
  const tls = { ca: join(folder, 'localhost.cert.pem') }
  const { port } = await startEdgeTo({ upstream: { servers, tls } })
  const texts: string[] = []
  for (let n = 0; n < 3; n++) texts.push((await exchange(port, get('/'))).text)
  expect(texts.sort()).toEqual(['bare', 'plain', 'tls'])
})

describe('refused at the start is', () => {
  const address = 'https://10.0.0.1'
  const text = join(folder, 'text.pem')
  writeFileSync(text, 'no certificate')
  const locked = join(folder, 'passphrase.pem')
  const aes = ['-aes256', '-passout', 'pass:secret', '-out', locked]
  execFileSync('openssl', ['ec', '-in', shop.key, ...aes], { stdio: 'pipe' })

  test.each<[string, object, RegExp]>([
    ['a file that is not there', { address, tls: { ca: '/nowhere.pem' } }, /at upstream\.tls\.ca: .*ENOENT/],
    ['a folder', { address, tls: { ca: folder } }, /upstream\.tls\.ca: .*it is no file/],
    ['a file without certificates', { address, tls: { ca: text } }, /upstream\.tls\.ca: .*no certificate/],
    ['text for a certificate', { address, tls: { cert: text, key: shop.key } }, /upstream\.tls\.cert: /],
    [
      'a key of another',
      { address, tls: { cert: shop.cert, key: other.key } },
      /upstream\.tls\.key: .*not the one/,
    ],
    ['a key with a passphrase', { address, tls: { cert: shop.cert, key: locked } }, /upstream\.tls\.key: /],
    ['a certificate alone', { address, tls: { cert: shop.cert } }, /upstream\.tls\.key: is missing/],
    ['tls for plain HTTP', { address: 'http://10.0.0.1', tls: {} }, /upstream\.tls: is for servers of https/],
    ['a URL with a path', { address: 'https://10.0.0.1/a' }, /upstream\.address: /],
    ['an address that is none', { address: 'https://[::1' }, /upstream\.address: /],
    ['insecure beside ca', { address, tls: { ca: shop.cert, insecure: true } }, /upstream\.tls\.insecure: /],
    [
      'one server in two spellings',
      { servers: [{ address }, { address: 'https://10.0.0.1:443/' }] },
      /upstream\.servers\.1\.address: is in the group twice/,
    ],
  ])('%s', async (_name, upstream, message) => {
    const expected = { code: 'HAVN_ERR_EDGE_CONFIG', message: expect.stringMatching(message) }
    await expect(startEdgeTo({ upstream } as never)).rejects.toMatchObject(expected)
  })

  test('a broken reload, which changes nothing', async () => {
    const server = await startTls(named('shop'))
    const edge = await startEdgeTo(to(server, { tls: trusted }))
    const broken = { upstreams: { api: { address, tls: { ca: '/nowhere.pem' } } } }
    await expect(async () => edge.update(broken)).rejects.toMatchObject({
      message: expect.stringContaining('upstreams.api.tls.ca'),
    })
    expect((await exchange(edge.port, get('/'))).text).toBe('shop')
  })
})
