import { copyFile, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { makeCertificate, makeExpiredCertificate } from '../../http/test/make-certificate.ts'
import type { GatewayOptions } from '../src/index.ts'
import { startGateway, startSupervisorProcess, temporaryDirectory, until } from './lifecycle-setup.ts'
import { ask, certificateFolder, handshake, nameAt, nodeApp, portOf, sessionAt } from './tls-setup.ts'

const folder = certificateFolder()
const first = makeCertificate(folder, ['first.test'])
const second = makeCertificate(folder, ['second.test'])
const expired = makeExpiredCertificate(folder, ['expired.test'])
const listeners = [{ type: 'tcp' as const, host: '127.0.0.1', port: 0 }]
const watchMs = 100

const options = (
  files: { cert: string; key: string },
  more: Partial<GatewayOptions> = {},
): GatewayOptions => ({
  listeners,
  app: nodeApp,
  tls: { certificates: [files], watchMs },
  log: { level: 'silent' },
  ...more,
})

/** A pair of files that a test may write to. */
async function ownFiles() {
  const directory = await temporaryDirectory()
  const files = { cert: join(directory, 'fullchain.pem'), key: join(directory, 'privkey.pem') }
  const put = async (from: { cert: string; key: string }) => {
    await copyFile(from.key, files.key)
    await copyFile(from.cert, files.cert)
  }
  await put(first)
  return { directory, files, put }
}

const untilNamed = (port: number, name: string) =>
  until(`a handshake as ${name}`, async () => (await nameAt(port)) === `DNS:${name}`)

describe('changed files are taken by themselves', () => {
  test.each(['thread', 'process'] as const)('in each %s; connections in flight go on', async (isolation) => {
    const { files, put } = await ownFiles()
    const handle = await startGateway(options(files, { isolation, threads: 2 }))
    const port = portOf(handle.addresses)
    const { session } = await sessionAt(port)
    const open = await handshake(port)
    await put(second)
    await untilNamed(port, 'second.test')
    for (let count = 0; count < 8; count++) expect(await nameAt(port)).toBe('DNS:second.test')
    open.write('GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n')
    let answer = ''
    for await (const part of open) answer += part
    expect(answer).toMatch(/^HTTP\/1\.1 200 /)
    expect(await sessionAt(port, session)).toMatchObject({ isResumed: true })
    // Whoever comes after has them too.
    await handle.reload()
    expect(await nameAt(port)).toBe('DNS:second.test')
  })

  test('where a link is put in the place of a link, as certbot does', async () => {
    const directory = await temporaryDirectory()
    const files = { cert: join(directory, 'fullchain.pem'), key: join(directory, 'privkey.pem') }
    await symlink(first.cert, files.cert)
    await symlink(first.key, files.key)
    const handle = await startGateway(options(files))
    const port = portOf(handle.addresses)
    expect(await nameAt(port)).toBe('DNS:first.test')
    for (const kind of ['cert', 'key'] as const) {
      await symlink(second[kind], `${files[kind]}.new`)
      await rename(`${files[kind]}.new`, files[kind])
    }
    await untilNamed(port, 'second.test')
  })

  test('where the folder is a link that changes, as Kubernetes does', async () => {
    const directory = await temporaryDirectory()
    for (const [name, from] of [
      ['..1', first],
      ['..2', second],
    ] as const) {
      await mkdir(join(directory, name))
      await copyFile(from.cert, join(directory, name, 'tls.crt'))
      await copyFile(from.key, join(directory, name, 'tls.key'))
    }
    const data = join(directory, '..data')
    await symlink('..1', data)
    await symlink('..data/tls.crt', join(directory, 'tls.crt'))
    await symlink('..data/tls.key', join(directory, 'tls.key'))
    const files = { cert: join(directory, 'tls.crt'), key: join(directory, 'tls.key') }
    const handle = await startGateway(options(files))
    const port = portOf(handle.addresses)
    await symlink('..2', `${data}_tmp`)
    await rename(`${data}_tmp`, data)
    await untilNamed(port, 'second.test')
  })

  test('not those that are wrong, which the log tells of once; right ones that follow are', async () => {
    const { files, put } = await ownFiles()
    const { addresses, output, child } = await startSupervisorProcess(
      options(files, { log: { format: 'json' } }),
    )
    const port = portOf(addresses)
    const problems = () => output.filter((line) => line.includes('HAVN_ERR_HTTP_TLS'))
    const wrong = [
      ['HAVN_ERR_HTTP_TLS_KEY', () => copyFile(second.cert, files.cert)],
      ['HAVN_ERR_HTTP_TLS_FILE', () => writeFile(files.key, 'no key')],
      ['HAVN_ERR_HTTP_TLS_EXPIRED', () => put(expired)],
      ['HAVN_ERR_HTTP_TLS_FILE', () => rm(files.cert)],
    ] as const
    for (const [at, [code, change]] of wrong.entries()) {
      await change()
      await until(code, () => problems().length > at)
      expect(problems()[at]).toContain(code)
      expect(problems()[at]).toContain(files.cert.slice(0, -'fullchain.pem'.length))
      expect(await nameAt(port)).toBe('DNS:first.test')
    }
    await sleep(5 * watchMs)
    expect(problems()).toHaveLength(wrong.length)
    await put(second)
    await untilNamed(port, 'second.test')
    expect(output.join('\n')).not.toMatch(/PRIVATE KEY|ticketKeys/)
    await child.stop()
  })
})

describe('a reload', () => {
  /** The files are not looked at by themselves. */
  const unwatched = (files: { cert: string; key: string }) => ({ certificates: [files], watchMs: 3_600_000 })

  test('reads the files anew, or fails before anything changes', async () => {
    const { files, put } = await ownFiles()
    const handle = await startGateway(options(files, { tls: unwatched(files) }))
    const port = portOf(handle.addresses)
    const { pid } = JSON.parse((await ask(port, '/')).text)
    await put(expired)
    await expect(handle.reload()).rejects.toMatchObject({ code: 'HAVN_ERR_HTTP_TLS_EXPIRED' })
    expect(JSON.parse((await ask(port, '/')).text)).toMatchObject({ pid })
    expect((await handle.status()).lastReload?.error?.code).toBe('HAVN_ERR_HTTP_TLS_EXPIRED')
    await put(second)
    await handle.reload()
    expect(await nameAt(port)).toBe('DNS:second.test')
  })

  test('of the app goes on with certificates that have expired since', async () => {
    const { files } = await ownFiles()
    const handle = await startGateway(options(files))
    const port = portOf(handle.addresses)
    const { pid } = JSON.parse((await ask(port, '/')).text)
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3 * 86_400_000 })
    onTestFinished(() => void vi.useRealTimers())
    await handle.reload()
    expect(JSON.parse((await ask(port, '/')).text).pid).not.toBe(pid)
  })

  test('comes by SIGHUP to a supervisor that is a process', async () => {
    const { files, put } = await ownFiles()
    const { addresses, child } = await startSupervisorProcess(options(files, { tls: unwatched(files) }))
    await put(second)
    child.kill('SIGHUP')
    await untilNamed(portOf(addresses), 'second.test')
  })

  test('takes another configuration of TLS, with its sessions; a wrong one leaves all as it was', async () => {
    const { files, put } = await ownFiles()
    const before = options(files)
    const handle = await startGateway(before)
    const port = portOf(handle.addresses)
    const { session } = await sessionAt(port)
    const withTls = (tls: Partial<GatewayOptions['tls']>) => ({
      ...before,
      tls: { certificates: [files], watchMs, ...tls },
    })
    const strict = withTls({ minVersion: 'TLSv1.3' })
    await expect(handle.reload({ options: withTls({ certificates: [expired] }) })).rejects.toMatchObject({
      code: 'HAVN_ERR_HTTP_TLS_EXPIRED',
    })
    await expect(handle.reload({ options: withTls({ redirectFrom: listeners }) })).rejects.toMatchObject({
      code: 'HAVN_ERR_GATEWAY_RELOAD_ADDRESS',
    })
    await handle.reload({ options: strict })
    await expect(handshake(port, { maxVersion: 'TLSv1.2' })).rejects.toThrow(/protocol version/)
    expect(await sessionAt(port, session)).toMatchObject({ isResumed: true })
    await put(second)
    await untilNamed(port, 'second.test')
  })

  test('whose app does not boot keeps the certificates of before', async () => {
    const { files } = await ownFiles()
    const before = options(files)
    const handle = await startGateway(before)
    const port = portOf(handle.addresses)
    const broken = {
      ...before,
      tls: { certificates: [second], watchMs },
      app: { ...nodeApp, target: 'missing.ts' } as GatewayOptions['app'],
    }
    await expect(handle.reload({ options: broken })).rejects.toBeDefined()
    expect(await nameAt(port)).toBe('DNS:first.test')
    const { pid } = JSON.parse((await ask(port, '/')).text)
    process.kill(pid, 'SIGKILL')
    await until('the next process', async () => (await nameAt(port).catch(() => '')) === 'DNS:first.test')
  })
})
