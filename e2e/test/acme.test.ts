import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { Agent, request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type DetailedPeerCertificate } from 'node:tls'
import { ensurePebble, requirePart, startPebble, type Pebble, type PebbleOptions } from '@havn/tools/parts'
import { afterAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { freePort, startPlatform, type RunningProgram } from '../src/index.ts'

const programs = await requirePart('pebble', ensurePebble)
const folder = mkdtempSync(join(tmpdir(), 'havn-e2e-acme-'))
afterAll(() => rmSync(folder, { recursive: true }))
const waiting = { timeout: 60_000, interval: 100 }

async function startAuthority(options: PebbleOptions = {}): Promise<Pebble> {
  const pebble = await startPebble(programs!, mkdtempSync(join(folder, 'pebble-')), options)
  onTestFinished(() => pebble.close())
  return pebble
}

/** A deployment's folder and config, for an authority that asks at the door that redirects. */
async function prepare(pebble: Pebble, acme: object = {}, plainPort = pebble.httpPort) {
  const directory = mkdtempSync(join(folder, 'app-'))
  const port = await freePort()
  const config = {
    bind: `127.0.0.1:${port}`,
    tls: {
      redirectFrom: `127.0.0.1:${plainPort}`,
      acme: {
        domains: ['shop.test', 'www.shop.test'],
        email: 'admin@shop.test',
        agreeToTerms: true,
        directoryUrl: pebble.directoryUrl,
        caFile: pebble.caFile,
        storage: 'certificates',
        ...acme,
      },
    },
  }
  const write = (more: object) =>
    writeFileSync(join(directory, 'platform.config.json'), JSON.stringify({ ...config, ...more }))
  return { directory, port, storage: join(directory, 'certificates'), write }
}

const edge = { routes: [{ to: { type: 'respond', status: 200, body: 'here' } }] }

async function startProxy(directory: string): Promise<RunningProgram> {
  const program = startPlatform(['proxy'], { cwd: directory })
  onTestFinished(() => program.dispose())
  await program.waitFor(/Proxying on https:/)
  return program
}

/** The certificate at a port, by a client that trusts who is named alone, or anybody. */
async function certificateAt(
  port: number,
  servername: string,
  ca?: string,
): Promise<DetailedPeerCertificate> {
  const socket = connect({ port, host: '127.0.0.1', servername, ca, rejectUnauthorized: ca !== undefined })
  try {
    await once(socket, 'secureConnect')
    return socket.getPeerCertificate(true)
  } finally {
    socket.destroy()
  }
}

const untilTrusted = (port: number, root: string) =>
  vi.waitFor(() => certificateAt(port, 'shop.test', root), waiting)

async function askPlain(port: number, path: string) {
  const [response] = await once(get({ host: '127.0.0.1', port, path, agent: false }), 'response')
  response.resume()
  return { status: response.statusCode as number, location: response.headers.location as string | undefined }
}

describe.skipIf(programs === null)('platform with tls.acme, against pebble', { timeout: 180_000 }, () => {
  test('serves a placeholder, then what the authority gave, and that at once after a restart', async () => {
    const pebble = await startAuthority()
    const root = await pebble.root()
    const { directory, port, storage, write } = await prepare(pebble)
    write({ edge })
    const program = await startProxy(directory)
    await program.waitFor(/certificate\.placeholder/)
    for (const name of ['shop.test', 'www.shop.test'])
      await vi.waitFor(() => certificateAt(port, name, root), waiting)
    await expect(certificateAt(port, 'other.test', root)).rejects.toMatchObject({
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    })
    const { serialNumber } = await certificateAt(port, 'shop.test', root)
    // Unknown challenges are nobody's, and never sent to https; all else is.
    expect(await askPlain(pebble.httpPort, '/.well-known/acme-challenge/unknown')).toMatchObject({
      status: 404,
    })
    expect(await askPlain(pebble.httpPort, '/a')).toEqual({
      status: 308,
      location: `https://127.0.0.1:${port}/a`,
    })
    program.kill('SIGTERM')
    expect((await program.finished).code).toBe(0)
    expect(program.output()).not.toContain('PRIVATE')
    const files = readdirSync(storage).filter((name) => name !== 'challenges')
    expect(files.map((name) => name.split('-')[0]).sort()).toEqual(['account', 'certificate'])
    for (const name of files) expect(statSync(join(storage, name)).mode & 0o777).toBe(0o600)
    expect(statSync(storage).mode & 0o777).toBe(0o700)

    const again = await startProxy(directory)
    expect((await certificateAt(port, 'shop.test', root)).serialNumber).toBe(serialNumber)
    expect(again.output()).not.toContain('certificate.placeholder')
    expect(pebble.orders()).toBe(1)
  })

  test('up renews without losing a connection, and serves the last one on when the authority is gone', async () => {
    const pebble = await startAuthority({ validityS: 30 })
    const root = await pebble.root()
    const { directory, port, write } = await prepare(pebble)
    write({})
    writeFileSync(
      join(directory, 'package.json'),
      '{ "private": true, "type": "module", "main": "app.mjs" }\n',
    )
    writeFileSync(join(directory, 'app.mjs'), "export default { fetch: () => new Response('here') }\n")
    const program = startPlatform(['up', directory])
    onTestFinished(() => program.dispose())
    await program.waitFor(/Ctrl-C stops it/)
    const first = await untilTrusted(port, root)

    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    onTestFinished(() => agent.destroy())
    const ask = async () => {
      const options = { host: '127.0.0.1', port, servername: 'shop.test', ca: root, agent }
      const outgoing = request(options).end()
      const [response] = await once(outgoing, 'response')
      response.resume()
      await once(response, 'end')
      return { status: response.statusCode as number, isReused: outgoing.reusedSocket }
    }
    expect(await ask()).toEqual({ status: 200, isReused: false })
    await vi.waitFor(async () => {
      // What is in use goes on.
      expect(await ask()).toEqual({ status: 200, isReused: true })
      const now = await certificateAt(port, 'shop.test', root)
      expect(now.serialNumber).not.toBe(first.serialNumber)
    }, waiting)
    expect(await ask()).toEqual({ status: 200, isReused: true })

    await pebble.close()
    const [line = ''] = (await program.waitFor(/.*certificate\.failed.*/)) as unknown as string[]
    expect(line).toContain('HAVN_ERR_ACME_UNREACHABLE')
    expect(line).toMatch(/nextAttempt.{1,4}20\d\d-/)
    const { serialNumber, issuerCertificate } = await certificateAt(port, 'shop.test')
    expect(new X509Certificate(issuerCertificate.raw).subject).toContain('Pebble')
    expect(serialNumber).not.toBe(first.serialNumber)
  })

  test('a placeholder goes on where nobody gives a certificate; a reload tries again', async () => {
    const pebble = await startAuthority()
    await pebble.setServfail('shop.test')
    const { directory, port, write } = await prepare(pebble)
    write({ edge })
    const program = await startProxy(directory)
    await program.waitFor(
      /certificate\.failed.*HAVN_ERR_ACME_CONNECTION|HAVN_ERR_ACME_CONNECTION.*certificate\.failed/,
    )
    expect((await certificateAt(port, 'shop.test')).subject).toMatchObject({ CN: 'placeholder' })
    await pebble.clearServfail('shop.test')
    program.kill('SIGHUP')
    await untilTrusted(port, await pebble.root())
  })

  test('is ordered once by two that share a storage, and answered for by any that does', async () => {
    const pebble = await startAuthority()
    const root = await pebble.root()
    const storage = mkdtempSync(join(folder, 'shared-'))
    const door = await prepare(pebble, { storage, domains: ['door.test'] })
    door.write({ edge })
    await startProxy(door.directory)
    const doors = await Promise.all(
      [1, 2].map(async () => {
        const { directory, port, write } = await prepare(pebble, { storage }, await freePort())
        write({ edge })
        await startProxy(directory)
        return port
      }),
    )
    const [one, other] = await Promise.all(doors.map((port) => untilTrusted(port, root)))
    expect(one!.serialNumber).toBe(other!.serialNumber)
    await vi.waitFor(() => certificateAt(door.port, 'door.test', root), waiting)
    expect(pebble.orders()).toBe(2)
  })
})

describe('what cannot be ordered ends the start', () => {
  const acme = { domains: ['shop.test'], agreeToTerms: true, storage: 'certificates' }
  const file = join(folder, 'a-file')
  writeFileSync(file, '')

  test.each([
    [
      'a wildcard',
      { acme: { ...acme, domains: ['*.shop.test'] } },
      'tls.acme.domains[0]: must not be a wildcard',
    ],
    [
      'an address',
      { acme: { ...acme, domains: ['shop.test', '10.0.0.1'] } },
      'tls.acme.domains[1]: must be a name',
    ],
    [
      'localhost',
      { acme: { ...acme, domains: ['localhost'] } },
      'tls.acme.domains[0]: must be a name of the internet',
    ],
    ['no domain', { acme: { ...acme, domains: [] } }, 'tls.acme.domains: '],
    [
      'terms that nobody agreed to',
      { acme: { ...acme, agreeToTerms: undefined } },
      'tls.acme.agreeToTerms: must be true',
    ],
    [
      'certificates beside it',
      { acme, certificates: [{ cert: 'a', key: 'b' }] },
      'tls: needs either cert and key',
    ],
    [
      'two authorities',
      { acme: { ...acme, staging: true, directoryUrl: 'https://a.test/' } },
      'tls.acme: needs either',
    ],
    ['a missing authority file', { acme: { ...acme, caFile: 'none.pem' } }, 'none.pem', 'HAVN_ERR_ACME_FILE'],
    [
      'a storage that is none',
      { acme: { ...acme, storage: join(file, 'below') } },
      file,
      'HAVN_ERR_CERTIFICATE_STORE',
    ],
  ])('%s', async (_what, tls, place, code = 'HAVN_ERR_CONFIG_INVALID') => {
    const directory = mkdtempSync(join(folder, 'bad-'))
    const config = {
      bind: `127.0.0.1:${await freePort()}`,
      edge,
      tls: { redirectFrom: '127.0.0.1:0', ...tls },
    }
    writeFileSync(join(directory, 'platform.config.json'), JSON.stringify(config))
    const program = startPlatform(['proxy'], { cwd: directory })
    onTestFinished(() => program.dispose())
    const { code: exit, stderr } = await program.finished
    expect([exit, stderr]).toEqual([2, expect.stringContaining(code)])
    expect(stderr).toContain(place)
  })
})
