import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ensurePython } from '@havn/tools/parts'
import { makeCertificate } from '../../packages/http/test/make-certificate.ts'
import { freePort, startPlatform, startProgram } from '../src/index.ts'
import type { RunningProgram } from '../src/index.ts'
import { askHttp1, askHttp2, askWebSocket } from './forwarded/ask.ts'
import type { Asked, SeenByDjango } from './forwarded/ask.ts'

/** Who asks: each has an address of the loopback of its own. */
const STRANGER = '127.0.0.9'
const TRUSTED = '127.0.0.2'
/** Its connections begin with a PROXY protocol header. */
const BALANCER = '127.0.0.3'

const folder = mkdtempSync(join(tmpdir(), 'havn-forwarded-'))
const certificate = makeCertificate(folder, ['shop.test'])
afterAll(() => rmSync(folder, { recursive: true }))

/** Where Django runs, and what tells it who asked. */
interface Way {
  interface: 'wsgi' | 'asgi'
  /** A server behind `platform proxy`; null where the edge is inside the gateway. */
  startUpstream: ((input: UpstreamInput) => Promise<RunningProgram>) | null
  /** gunicorn leaves REMOTE_ADDR to whoever reads X-Forwarded-For. */
  knowsClient: boolean
}

const ways: [name: string, way: Way][] = [
  ['edge in the gateway, WSGI', { interface: 'wsgi', startUpstream: null, knowsClient: true }],
  ['edge in the gateway, ASGI', { interface: 'asgi', startUpstream: null, knowsClient: true }],
  ['platform proxy, gunicorn', { interface: 'wsgi', startUpstream: startGunicorn, knowsClient: false }],
  ['platform proxy, uvicorn', { interface: 'asgi', startUpstream: startUvicorn, knowsClient: true }],
  ['platform proxy, gateway', { interface: 'asgi', startUpstream: startGateway, knowsClient: true }],
]
const doors = ['http', 'https'] as const

describe.each(ways.flatMap(([name, way]) => doors.map((door) => [name, door, way] as const)))(
  '%s, %s',
  (_name, door, way) => {
    const isEmbedded = way.startUpstream === null
    const programs: RunningProgram[] = []
    let port = 0

    beforeAll(async () => {
      const python = await ensurePython(['Django>=5.2,<5.3', 'gunicorn', 'uvicorn', 'websockets'])
      const directory = mkdtempSync(join(folder, 'site-'))
      cpSync(join(import.meta.dirname, 'forwarded/forwarded_site.py'), join(directory, 'forwarded_site.py'))
      port = await freePort()
      const upstreamPort = await freePort()
      if (way.startUpstream) programs.push(await way.startUpstream({ python, directory, port: upstreamPort }))
      const config = {
        bind: `127.0.0.1:${port}`,
        trustedProxies: [`${TRUSTED}/32`],
        proxyProtocol: [BALANCER],
        log: { access: false },
        ...(door === 'https' && { tls: certificate }),
        ...(isEmbedded
          ? { app: { entry: `forwarded_site:${way.interface}`, interface: way.interface, python } }
          : { edge: { upstream: { address: { type: 'tcp', host: '127.0.0.1', port: upstreamPort } } } }),
      }
      const file = join(directory, 'platform.config.json')
      writeFileSync(file, JSON.stringify(config))
      const args = isEmbedded ? ['up', '.'] : ['proxy', '--config', file]
      const program = startPlatform(args, { cwd: directory })
      programs.push(program)
      await program.waitFor(isEmbedded ? /Ctrl-C stops it/ : / on https?:\S+/)
    }, 120_000)

    afterAll(async () => {
      for (const program of programs.reverse()) await program.dispose()
    })

    const asked = (from: string, headers: readonly string[], proxyHeader?: string): Asked => ({
      port,
      isTls: door === 'https',
      from,
      headers,
      proxyHeader,
    })
    const asks: [name: string, ask: (asked: Asked) => Promise<SeenByDjango>][] = [
      ['HTTP/1.1', askHttp1],
      ...(door === 'https' ? [['HTTP/2', askHttp2] as [string, typeof askHttp2]] : []),
    ]

    /** What Django must see of a client at `address`, whatever it says of itself. */
    const own = (address: string, names: string = address) => ({
      address: way.knowsClient ? address : '127.0.0.1',
      plain: ['shop.test', door === 'https', `${door}://shop.test/a/?b=c`],
      believing: ['shop.test', door === 'https', `${door}://shop.test/a/?b=c`],
      headers: isEmbedded
        ? {}
        : {
            X_FORWARDED_FOR: names,
            X_FORWARDED_HOST: 'shop.test',
            X_FORWARDED_PROTO: door,
            FORWARDED: `for=${names};host="shop.test";proto=${door}`,
          },
    })

    const scheme = door === 'https' ? 'http' : 'https'
    const spoofed = [
      ...['X-Forwarded-For', '6.6.6.6', 'X-Forwarded-Proto', scheme, 'X-Forwarded-Host', 'evil.test'],
      ...['X-Forwarded-Port', '666', 'X-Forwarded-Prefix', '/evil', 'X-Forwarded-Ssl', 'on'],
      ...['X-Forwarded-Protocol', 'ssl', 'X-Real-IP', '6.6.6.6'],
      ...['Forwarded', `for=6.6.6.6;host=evil.test;proto=${scheme}`],
    ]
    const aliases = [
      ...['X_Forwarded_For', '6.6.6.6', 'X-Forwarded_Proto', scheme, 'X_Forwarded_Host', 'evil.test'],
      ...['X_Real_IP', '6.6.6.6', 'X-Real_IP', '6.6.6.6', 'HTTP_FORWARDED', 'for=6.6.6.6'],
      ...['X-Forwarded-Client_Cert', 'forged', 'SCRIPT_NAME', '/evil', 'PATH_INFO', '/evil'],
    ]

    describe.each(asks)('%s', (version, ask) => {
      test.each([
        ['says of itself', spoofed],
        ['says in aliases', aliases],
      ])('nothing that a stranger %s reaches the app', async (_what, headers) => {
        expect(await ask(asked(STRANGER, headers))).toEqual(own(STRANGER))
      })

      test
        .skipIf(version === 'HTTP/2')
        .each([
          ['X-Forwarded-For, X-Forwarded-Host, X-Forwarded-Proto, Forwarded'],
          ['Host'],
          ['close, X-Real-IP'],
          ['keep-alive, X-Hop, Host, x-forwarded-for'],
        ])('Connection: %s strips and smuggles nothing', async (connection) => {
        const headers = ['Connection', connection, 'X-Hop', '1', 'X-Kept', '1', ...spoofed]
        const { headers: seen, ...rest } = await ask(asked(STRANGER, headers))
        const wanted = own(STRANGER)
        expect(rest).toEqual({ address: wanted.address, plain: wanted.plain, believing: wanted.believing })
        expect(seen).toEqual({
          ...wanted.headers,
          X_KEPT: '1',
          ...(!connection.includes('X-Hop') && { X_HOP: '1' }),
        })
      })

      test('what a trusted proxy says holds, with this hop behind it', async () => {
        const headers = [
          ...['X-Forwarded-For', '6.6.6.6, 198.51.100.7', 'X-Forwarded-Proto', scheme],
          ...['X-Forwarded-Host', 'outer.test:8443', 'X-Forwarded-Port', '8443'],
          ...['X-Forwarded-Prefix', '/outer', 'Forwarded', 'for=6.6.6.6, for=198.51.100.7', ...aliases],
        ]
        const seen = await ask(asked(TRUSTED, headers))
        const url = `${scheme}://outer.test:8443/a/?b=c`
        expect(seen).toEqual({
          address: way.knowsClient ? '198.51.100.7' : '127.0.0.1',
          plain: ['outer.test:8443', scheme === 'https', url],
          believing: ['outer.test:8443', scheme === 'https', url],
          headers: {
            X_FORWARDED_FOR: `6.6.6.6, 198.51.100.7${isEmbedded ? '' : `, ${TRUSTED}`}`,
            X_FORWARDED_HOST: 'outer.test:8443',
            X_FORWARDED_PROTO: scheme,
            X_FORWARDED_PORT: '8443',
            X_FORWARDED_PREFIX: '/outer',
            FORWARDED: isEmbedded
              ? 'for=6.6.6.6, for=198.51.100.7'
              : `for=6.6.6.6, for=198.51.100.7, for=${TRUSTED};host="outer.test:8443";proto=${scheme}`,
          },
        })
      })

      test.skipIf(version === 'HTTP/2')('of scheme and host it says one thing, the last', async () => {
        const said = [
          ...['X-Forwarded-Proto', door, 'X-Forwarded-Host', 'evil.test'],
          ...['X-Forwarded-Proto', scheme, 'X-Forwarded-Host', 'evil.test, outer.test'],
        ]
        const seen = await ask(asked(TRUSTED, said))
        const wanted = ['outer.test', scheme === 'https', `${scheme}://outer.test/a/?b=c`]
        expect([seen.plain, seen.believing]).toEqual([wanted, wanted])
        expect(seen.headers).toMatchObject({ X_FORWARDED_PROTO: scheme, X_FORWARDED_HOST: 'outer.test' })
      })

      test.skipIf(version === 'HTTP/2')('nor can Connection take a trusted proxy’s words away', async () => {
        const headers = [
          ...['Connection', 'close, X-Forwarded-For, X-Forwarded-Proto, X-Real-IP, Host'],
          ...['X-Forwarded-For', '198.51.100.7', 'X-Forwarded-Proto', scheme, 'X-Real-IP', '198.51.100.7'],
        ]
        const seen = await ask(asked(TRUSTED, headers))
        expect(seen.plain).toEqual(['shop.test', scheme === 'https', `${scheme}://shop.test/a/?b=c`])
        expect(seen.headers).toMatchObject({
          X_FORWARDED_FOR: `198.51.100.7${isEmbedded ? '' : `, ${TRUSTED}`}`,
          X_FORWARDED_PROTO: scheme,
          X_REAL_IP: '198.51.100.7',
        })
      })

      test('a client that PROXY protocol names is a stranger like others', async () => {
        const header = `PROXY TCP4 203.0.113.5 127.0.0.1 4711 ${port}\r\n`
        const seen = await ask(asked(BALANCER, [...spoofed, ...aliases], header))
        expect(seen).toEqual(own('203.0.113.5'))
      })

      test('a client that it does not name is believed in nothing', async () => {
        const seen = await ask(asked(BALANCER, [...spoofed, ...aliases], 'PROXY UNKNOWN\r\n'))
        expect(seen).toEqual(own(BALANCER))
      })

      test('a trusted proxy that it names is believed', async () => {
        const header = `PROXY TCP4 ${TRUSTED} 127.0.0.1 4711 ${port}\r\n`
        const said = ['X-Forwarded-For', '198.51.100.7', 'X-Forwarded-Proto', scheme]
        const seen = await ask(asked(BALANCER, said, header))
        expect(seen.believing).toEqual(['shop.test', scheme === 'https', `${scheme}://shop.test/a/?b=c`])
        expect(seen.headers['X_FORWARDED_FOR']).toBe(`198.51.100.7${isEmbedded ? '' : `, ${TRUSTED}`}`)
        if (way.knowsClient) expect(seen.address).toBe('198.51.100.7')
      })
    })

    describe.skipIf(way.interface === 'wsgi')('WebSocket', () => {
      test('nothing that a stranger says of itself comes through a tunnel', async () => {
        const seen = await askWebSocket(asked(STRANGER, [...spoofed, ...aliases]))
        const { address, headers } = own(STRANGER)
        const wanted = { address, scheme: door === 'https' ? 'wss' : 'ws', host: 'shop.test', headers }
        expect(seen).toEqual(wanted)
      })

      test('what a trusted proxy says does', async () => {
        const said = ['X-Forwarded-For', '6.6.6.6, 198.51.100.7', 'X-Forwarded-Proto', scheme]
        const seen = await askWebSocket(asked(TRUSTED, [...said, 'X-Forwarded-Host', 'outer.test']))
        expect(seen).toMatchObject({
          address: '198.51.100.7',
          scheme: scheme === 'https' ? 'wss' : 'ws',
          host: 'outer.test',
          headers: { X_FORWARDED_FOR: `6.6.6.6, 198.51.100.7${isEmbedded ? '' : `, ${TRUSTED}`}` },
        })
      })

      test('a client that PROXY protocol names is a stranger there, too', async () => {
        const header = `PROXY TCP4 203.0.113.5 127.0.0.1 4711 ${port}\r\n`
        const seen = await askWebSocket(asked(BALANCER, spoofed, header))
        const { address, headers } = own('203.0.113.5')
        expect(seen).toMatchObject({ address, host: 'shop.test', headers })
      })
    })
  },
)

interface UpstreamInput {
  python: string
  directory: string
  port: number
}

async function startGunicorn({ python, directory, port }: UpstreamInput): Promise<RunningProgram> {
  const args = ['-b', `127.0.0.1:${port}`, '-k', 'gthread', '--threads', '4', 'forwarded_site:wsgi']
  const program = startProgram(join(dirname(python), 'gunicorn'), args, { cwd: directory })
  await program.waitFor(/Booting worker/)
  return program
}

async function startUvicorn({ python, directory, port }: UpstreamInput): Promise<RunningProgram> {
  const trust = ['--forwarded-allow-ips', `127.0.0.1,${TRUSTED}`]
  const args = ['--host', '127.0.0.1', '--port', String(port), ...trust, 'forwarded_site:asgi']
  const program = startProgram(join(dirname(python), 'uvicorn'), args, { cwd: directory })
  await program.waitFor(/Uvicorn running/)
  return program
}

async function startGateway({ python, directory, port }: UpstreamInput): Promise<RunningProgram> {
  const trust = ['127.0.0.1', TRUSTED].flatMap((address) => ['--trusted-proxy', address])
  const args = ['serve', 'forwarded_site:asgi', '--python', python, '--bind', `127.0.0.1:${port}`, ...trust]
  const program = startPlatform([...args, '--no-access-log'], { cwd: directory })
  await program.waitFor(/ on http:\S+/)
  return program
}
