import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { once } from 'node:events'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { makeCertificate } from '../../http/test/make-certificate.ts'
import type { GatewayOptions } from '../src/index.ts'
import { startSupervisor } from '../src/index.ts'
import { startGateway, temporaryDirectory } from './lifecycle-setup.ts'
import { ask, certificateFolder, freePort, nameAt, nodeApp, portOf } from './tls-setup.ts'

const folder = certificateFolder()
const { cert, key } = makeCertificate(folder, ['given.test'])
const given = { cert, key }
const module = new URL('./tls-apps/certificates.ts', import.meta.url).href

const options = (tls: GatewayOptions['tls'], more: Partial<GatewayOptions> = {}): GatewayOptions => ({
  listeners: [{ type: 'tcp', host: '127.0.0.1', port: 0 }],
  app: nodeApp,
  log: { level: 'silent' },
  tls,
  ...more,
})

describe('a module that gives certificates', () => {
  test('is read before anything is bound, watched once all listen, and ended with the gateway', async () => {
    const notes = join(await temporaryDirectory(), 'notes')
    const handle = await startGateway(options({ source: { module, config: { ...given, notes } } }))
    expect(await nameAt(portOf(handle.addresses))).toBe('DNS:given.test')
    await handle.reload()
    expect(await readFile(notes, 'utf8')).toBe('read watched read ')
    await handle.stop()
    expect(await readFile(notes, 'utf8')).toBe('read watched read ended ')
  })

  test('gives way to another configuration, and is not watched where that does not come up', async () => {
    const notes = join(await temporaryDirectory(), 'notes')
    const source = { module, config: { ...given, notes } }
    const handle = await startGateway(options({ source }))
    const broken = options(
      { source, minVersion: 'TLSv1.3' },
      { app: { ...nodeApp, target: 'none.ts' } as never },
    )
    await expect(handle.reload({ options: broken })).rejects.toThrow()
    expect(await readFile(notes, 'utf8')).toBe('read watched read ')
    await handle.reload({ options: options({ source, minVersion: 'TLSv1.3' }) })
    expect(await readFile(notes, 'utf8')).toBe('read watched read read ended watched ')
  })

  test.each([
    ['is not there', { module: `${module}.none`, config: {} }, 'HAVN_ERR_GATEWAY_CERTIFICATES'],
    ['is another', { module: 'node:path', config: {} }, 'HAVN_ERR_GATEWAY_CERTIFICATES'],
    ['fails', { module, config: { ...given, notes: '' } }, 'HAVN_ERR_GATEWAY_CERTIFICATES'],
    [
      'gives what cannot be read',
      { module, config: { cert: '/none.pem', key: '/none.pem', notes: '/dev/null' } },
      'HAVN_ERR_HTTP_TLS_FILE',
    ],
  ])('that %s ends the start', async (_how, source, code) => {
    await expect(startSupervisor(options({ source }))).rejects.toMatchObject({ code })
  })

  test.each([
    ['neither', {}],
    ['both', { certificates: [given], source: { module, config: {} } }],
  ])('%s of certificates and a source is no configuration', async (_which, tls) => {
    await expect(startSupervisor(options(tls))).rejects.toMatchObject({ code: 'HAVN_ERR_GATEWAY_CONFIG' })
  })
})

describe('http-01 challenges', () => {
  const path = '/.well-known/acme-challenge/'

  async function start() {
    const directory = await temporaryDirectory()
    const [plainPort, socket] = [await freePort(), join(directory, 'door.sock')]
    await mkdir(join(directory, 'challenges'))
    await writeFile(join(directory, 'challenges', 'to-ken_1'), 'to-ken_1.answer')
    await writeFile(join(directory, 'secret'), 'never to be seen')
    const tls: GatewayOptions['tls'] = {
      certificates: [given],
      redirectFrom: [{ type: 'tcp', host: '127.0.0.1', port: plainPort }],
      challengeDirectory: join(directory, 'challenges'),
    }
    const listeners: GatewayOptions['listeners'] = [
      { type: 'tcp', host: '127.0.0.1', port: 0 },
      { type: 'unix', path: socket },
    ]
    const handle = await startGateway(options(tls, { listeners }))
    return { port: portOf(handle.addresses), plainPort, socket }
  }

  test('are answered where clients are sent on, over https, and on a socket', async () => {
    const { port, plainPort, socket } = await start()
    const answer = { status: 200, text: 'to-ken_1.answer' }
    expect(await ask(plainPort, `${path}to-ken_1`, { isPlain: true })).toMatchObject(answer)
    expect(await ask(port, `${path}to-ken_1`)).toMatchObject(answer)
    const [response] = await once(request({ socketPath: socket, path: `${path}to-ken_1` }).end(), 'response')
    expect(response.statusCode).toBe(200)
    response.resume()
    const head = await ask(plainPort, `${path}to-ken_1`, { isPlain: true, method: 'HEAD' })
    expect(head).toMatchObject({ status: 200, text: '', headers: { 'content-length': '15' } })
    expect((await ask(plainPort, '/', { isPlain: true })).status).toBe(308)
  })

  test('that nobody made are not found, and no other file is', async () => {
    const { port, plainPort } = await start()
    for (const [at, isPlain] of [
      [plainPort, true],
      [port, false],
    ] as const) {
      expect((await ask(at, `${path}other`, { isPlain })).status).toBe(404)
      const posted = await ask(at, `${path}to-ken_1`, { isPlain, method: 'POST', body: Buffer.from('x') })
      expect([posted.status, posted.headers['allow']]).toEqual([405, 'GET, HEAD'])
      for (const wrong of ['..%2fsecret', '../../secret', '%2e%2e/secret', 'to-ken_1%00', ''])
        expect((await ask(at, path + wrong, { isPlain })).text).not.toContain('never to be seen')
    }
  })
})
