import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { mkdir, rm, stat } from 'node:fs/promises'
import { createServer, request as requestPlain } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer as createTlsServer, request as requestTls } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import type { TLSSocket } from 'node:tls'
import { afterAll, afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import type { Endpoint } from '@havn/model'
import type { ServerSettings } from '@havn/plugin-api'
import { freePort, sampleApp, sampleSettings, sampleTarget, serveProxy } from '@havn/plugin-api/testing'
import type { ServeProxyOptions } from '@havn/plugin-api/testing'
import { createRegistry, findPlugins } from '@havn/registry'
import type { Registry } from '@havn/registry'
import { ensureDebian, requirePart } from '@havn/tools/parts'
import { makeCertificate, makeExpiredCertificate } from '../../../packages/http/test/make-certificate.ts'

const nginx = await requirePart('nginx', () => ensureDebian('nginx', 'nginx-light'))

let folder: string
let registry: Registry
let upstream: Server
let answer: (request: IncomingMessage, response: ServerResponse) => void

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'havn-nginx-'))
  const packages = ['proxy-nginx', 'orchestrator-local'].map((name) =>
    join(import.meta.dirname, '../..', name),
  )
  const plugins = await findPlugins({ projectDirectory: import.meta.dirname, packages })
  const logger = { debug() {}, info() {}, warn() {}, error() {} }
  registry = createRegistry({ plugins, stateDirectory: join(folder, 'state'), logger })
  answer = (_request, response) => void response.end('app')
  upstream = createServer((request, response) => answer(request, response)).listen(0, '127.0.0.1')
  await once(upstream, 'listening')
})
afterEach(async () => {
  await registry.close()
  upstream.closeAllConnections()
  upstream.close()
  await rm(folder, { recursive: true })
})

async function serve(settings: Partial<ServerSettings> = {}, options: Partial<ServeProxyOptions> = {}) {
  return serveProxy({
    proxy: (await registry.open('proxy', 'nginx')).instance,
    orchestrator: (await registry.open('orchestrator', 'local')).instance,
    upstream: { type: 'tcp', host: '127.0.0.1', port: (upstream.address() as AddressInfo).port },
    settings,
    target: { programs: { nginx: nginx! } },
    runDirectory: join(folder, 'run'),
    ...options,
  })
}

async function get(url: string, headers: Record<string, string> = {}) {
  const options = { headers, agent: false as const, rejectUnauthorized: false }
  const sent = url.startsWith('https:') ? requestTls(url, options) : requestPlain(url, options)
  sent.end()
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  let text = ''
  for await (const part of response) text += String(part)
  return { status: response.statusCode, location: response.headers.location, text }
}

describe.skipIf(nginx === null)('nginx, really', () => {
  it('prints each request without its query, and leaves nothing behind', async () => {
    const served = await serve({ log: { level: 'info', format: 'json', access: true } })
    await get(`http://127.0.0.1:${served.port}/a%22b?token=secret`)
    const lines = () =>
      served.events.flatMap((event) => (event.type === 'process.output' ? [event.line] : []))
    await expect.poll(lines, { timeout: 10_000 }).not.toEqual([])
    expect(lines().map((line) => JSON.parse(line))).toMatchObject([
      { event: 'request', method: 'GET', path: '/a%22b', status: 200, client: '127.0.0.1' },
    ])
    expect(lines().join()).not.toContain('secret')
    await get(`http://127.0.0.1:${served.port}/last`)
    await served.stop()
    expect(lines().join()).toContain('/last')
    await expect(stat(join(folder, 'run'))).rejects.toThrow('ENOENT')
    const ends = served.events.filter(({ type }) => type === 'process.exited')
    expect(ends).toMatchObject([
      { code: 0, expected: true },
      { code: 0, expected: true },
    ])
  })

  it('finishes a request before it ends', async () => {
    const began = Promise.withResolvers<void>()
    const goOn = Promise.withResolvers<void>()
    answer = (request, response) => {
      if (request.url !== '/slow') return void response.end()
      began.resolve()
      void goOn.promise.then(() => response.end('finished'))
    }
    const served = await serve()
    const slow = get(`http://127.0.0.1:${served.port}/slow`)
    await began.promise
    const stopped = served.stop()
    // No longer taken: the stop has begun.
    await expect
      .poll(() => get(`http://127.0.0.1:${served.port}/`).catch(() => null), { timeout: 10_000 })
      .toBe(null)
    goOn.resolve()
    expect(await slow).toMatchObject({ status: 200, text: 'finished' })
    await stopped
  })

  it('tells what nginx says when it does not start', async () => {
    await mkdir(join(folder, 'run'), { recursive: true })
    const edge = {
      upstreams: { gone: { address: { type: 'tcp' as const, host: 'no-such-host.invalid', port: 1 } } },
    }
    const error = await serve({}, { edge }).catch((error: unknown) => error)
    expect(error).toMatchObject({ code: 'HAVN_ERR_PROCESS_DIED' })
    expect((error as { detail: string }).detail).toContain('host not found in upstream')
  })
})

describe.skipIf(nginx === null)('nginx over TLS to an upstream', () => {
  const files = mkdtempSync(join(tmpdir(), 'havn-nginx-upstream-'))
  afterAll(() => rmSync(files, { recursive: true }))
  const api = makeCertificate(files, ['api.internal'])
  const expired = makeExpiredCertificate(files, ['old.internal'])

  /** A route to a server with this certificate, and a name that it asked for. */
  async function serveTo({ cert, key }: { cert: string; key: string }, tls: object) {
    const names: unknown[] = []
    const server = createTlsServer(
      { cert: readFileSync(cert), key: readFileSync(key) },
      (request, response) => {
        names.push((request.socket as TLSSocket & { servername: unknown }).servername)
        response.end(`tls ${request.url}`)
      },
    ).listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => {
      server.closeAllConnections()
      server.close()
    })
    const address = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
    const edge = {
      upstreams: { api: { address, tls } },
      routes: [{ match: { path: '/api' }, to: { type: 'upstream' as const, upstream: 'api' } }],
    }
    const served = await serve({}, { edge })
    onTestFinished(() => served.stop())
    return { ask: () => get(`http://127.0.0.1:${served.port}/api/x?y`), names }
  }

  it('checks the name that is asked for, and shows its own certificate', async () => {
    const { ask, names } = await serveTo(api, { ca: api.cert, serverName: 'api.internal', ...api })
    expect(await ask()).toMatchObject({ status: 200, text: 'tls /api/x?y' })
    expect(names).toEqual(['api.internal'])
  })

  it.each([
    ['another name', api, { ca: api.cert, serverName: 'other.internal' }],
    ['an unknown authority', api, { ca: expired.cert, serverName: 'api.internal' }],
    ['the past', expired, { ca: expired.cert, serverName: 'old.internal' }],
  ])('asks nothing of a server whose certificate is of %s', async (_name, certificate, tls) => {
    const { ask, names } = await serveTo(certificate, tls)
    expect((await ask()).status).toBe(502)
    expect(names).toEqual([])
  })
})

describe.skipIf(nginx === null)('nginx over TLS', () => {
  const certificates = mkdtempSync(join(tmpdir(), 'havn-nginx-tls-'))
  afterAll(() => rmSync(certificates, { recursive: true }))
  const shop = makeCertificate(certificates, ['shop.test'])
  const blog = makeCertificate(certificates, ['blog.test', '*.blog.test'])

  /** Planned by hand, since the door speaks TLS. */
  async function serveTls(tls: NonNullable<ServerSettings['tls']>) {
    const { instance: proxy } = await registry.open('proxy', 'nginx')
    const port = await freePort()
    const endpoint: Endpoint = {
      id: 'public',
      address: { type: 'tcp', host: '127.0.0.1', port },
      protocol: 'https',
      public: true,
    }
    const served = await serve(
      { tls },
      { proxy: { ...proxy, plan: (input) => proxy.plan({ ...input, endpoints: [endpoint] }) } },
    )
    onTestFinished(() => served.stop())
    return port
  }

  const nameAt = async (port: number, servername: string) => {
    const socket = connect({ port, host: '127.0.0.1', servername, rejectUnauthorized: false })
    await once(socket, 'secureConnect')
    const { subjectaltname } = socket.getPeerCertificate()
    socket.destroy()
    return subjectaltname
  }

  it('speaks it, tells the app, and sends those who come without', async () => {
    answer = (request, response) => void response.end(request.headers['x-forwarded-proto'])
    const plain = await freePort()
    const redirectFrom = [{ type: 'tcp', host: '127.0.0.1', port: plain }] as const
    const port = await serveTls({ certificates: [shop], redirectFrom })
    expect(await get(`https://127.0.0.1:${port}/`)).toMatchObject({ status: 200, text: 'https' })
    const moved = await get(`http://127.0.0.1:${plain}/a%20b?c`, { Host: 'shop.test' })
    expect(moved).toMatchObject({ status: 308, location: `https://shop.test:${port}/a%20b?c` })
    const challenge = await get(`http://127.0.0.1:${plain}/.well-known/acme-challenge/x`)
    expect(challenge).toMatchObject({ status: 200, text: 'http' })
  })

  it('chooses a certificate by name', async () => {
    const certificates = [shop, { ...blog, names: ['blog.test', '*.blog.test'] }]
    const port = await serveTls({ certificates, redirectFrom: [] })
    expect(await nameAt(port, 'shop.test')).toBe('DNS:shop.test')
    expect(await nameAt(port, 'a.blog.test')).toContain('DNS:blog.test')
    expect(await nameAt(port, 'elsewhere.test')).toBe('DNS:shop.test')
  })

  it('refuses one whose names are not written down', async () => {
    const { instance } = await registry.open('proxy', 'nginx')
    const tls = { certificates: [shop, blog], redirectFrom: [] }
    const { unsupported } = instance.plan({
      app: sampleApp('wsgi'),
      target: sampleTarget(),
      endpoints: [],
      upstreams: [],
      settings: { ...sampleSettings(), tls },
    })
    expect(unsupported).toMatchObject([{ path: 'tls.certificates.1.names', consequence: 'refuse' }])
  })
})
