import { execFileSync, spawnSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, createServer } from 'node:tls'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ensureLocalCertificate } from './local-authority.ts'
import { makeCertificate } from './make-certificate.ts'
import type { LocalCertificate } from './local-authority.ts'

const names = ['localhost', '*.shop.test', '127.0.0.1', '::1']
const day = 86_400_000
let folder: string
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'havn-authority-'))))
afterEach(() => rmSync(folder, { recursive: true }))

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8)
const parse = (path: string) => new X509Certificate(readFileSync(path))

/** The error of a handshake with a server that has the certificate; null when the client takes it. */
async function handshake(files: LocalCertificate, servername: string): Promise<string | null> {
  const server = createServer({ cert: readFileSync(files.cert), key: readFileSync(files.key) })
  server.on('tlsClientError', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const client = connect({ port, host: '127.0.0.1', servername, ca: readFileSync(files.authority) })
  try {
    await once(client, 'secureConnect')
    return null
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unknown'
  } finally {
    client.destroy()
    server.close()
  }
}

describe('a certificate of the local authority', () => {
  test('is taken by those who trust it, for its names and no others', async () => {
    const files = await ensureLocalCertificate(folder, names)
    expect(await handshake(files, 'localhost')).toBeNull()
    expect(await handshake(files, 'www.shop.test')).toBeNull()
    expect(await handshake(files, 'other.test')).toBe('ERR_TLS_CERT_ALTNAME_INVALID')
    const leaf = parse(files.cert)
    expect(leaf.checkIP('127.0.0.1')).toBe('127.0.0.1')
    expect(leaf.checkIP('::1')).toBeDefined()
    expect(leaf.ca).toBe(false)
    expect(leaf.validToDate.getTime() - leaf.validFromDate.getTime()).toBe(397 * day)
    expect(
      execFileSync('openssl', ['verify', '-x509_strict', '-CAfile', files.authority, files.cert], {
        encoding: 'utf8',
      }),
    ).toMatch(/: OK\n$/)
  })

  test('cannot be for a name of the internet, whoever has the key', async () => {
    for (const name of ['shop.example', '8.8.8.8', '2001:db8::1', 'a b.test', '*.*.test', ''])
      await expect(ensureLocalCertificate(folder, [name])).rejects.toMatchObject({
        code: 'HAVN_ERR_TLS_LOCAL_NAME',
      })
    const { authority } = await ensureLocalCertificate(folder, names)
    const whole = readFileSync(join(folder, 'authority.pem'), 'utf8')
    const stolen = {
      cert: readFileSync(authority, 'utf8'),
      key: whole.slice(whole.indexOf('-----BEGIN PRIVATE KEY')),
    }
    const file = join(folder, 'forged.pem')
    for (const name of ['shop.example', '8.8.8.8']) {
      writeFileSync(file, (await makeCertificate(stolen, [name], new Date())).cert)
      const { status, stderr } = spawnSync('openssl', ['verify', '-CAfile', authority, file], {
        encoding: 'utf8',
      })
      expect([status, stderr]).toEqual([2, expect.stringContaining('permitted subtree')])
    }
  })

  test('lies where only its user can read the keys', async () => {
    const directory = join(folder, 'deep', 'er')
    const { key } = await ensureLocalCertificate(directory, names)
    expect([modeOf(directory), modeOf(key), modeOf(join(directory, 'authority.pem'))]).toEqual([
      '700',
      '600',
      '600',
    ])
    expect(readFileSync(join(directory, 'authority.crt'), 'utf8')).not.toContain('PRIVATE')
    expect(readdirSync(directory).filter((name) => name.startsWith('draft-'))).toEqual([])
  })

  test('is the same the next time, and another for other names', async () => {
    const first = await ensureLocalCertificate(folder, names)
    const second = await ensureLocalCertificate(folder, names)
    expect(second).toEqual({ ...first, isNewAuthority: false })
    expect(first.isNewAuthority).toBe(true)
    const other = await ensureLocalCertificate(folder, [...names, 'api.test'])
    expect(other.cert).not.toBe(first.cert)
    expect(await handshake(other, 'api.test')).toBeNull()
  })

  test('is made anew before it ends, by the same authority, which is made anew before that ends', async () => {
    const start = new Date()
    const after = (days: number) => new Date(start.getTime() + days * day)
    const first = await ensureLocalCertificate(folder, names, start)
    const authority = parse(first.authority)
    expect((await ensureLocalCertificate(folder, names, after(360))).cert).toBe(first.cert)
    const second = await ensureLocalCertificate(folder, names, after(370))
    expect([second.cert === first.cert, second.isNewAuthority]).toEqual([false, false])
    expect(parse(second.cert).verify(authority.publicKey)).toBe(true)
    const third = await ensureLocalCertificate(folder, names, after(3_630))
    expect(third.isNewAuthority).toBe(true)
    expect(parse(third.cert).verify(parse(third.authority).publicKey)).toBe(true)
  })

  test('comes from one authority, however many ask at once', async () => {
    const all = await Promise.all(
      Array.from({ length: 8 }, (_, n) => ensureLocalCertificate(folder, [`${n}.test`])),
    )
    const { publicKey } = parse(all[0]!.authority)
    expect(all.filter(({ cert }) => parse(cert).verify(publicKey))).toHaveLength(8)
    expect(all.filter(({ isNewAuthority }) => isNewAuthority)).toHaveLength(1)
  })

  test('cannot be made where something else lies, and says so', async () => {
    writeFileSync(join(folder, 'authority.pem'), 'nothing')
    await expect(ensureLocalCertificate(folder, names)).rejects.toMatchObject({
      code: 'HAVN_ERR_TLS_LOCAL',
      message: expect.stringContaining('is not an authority'),
    })
    writeFileSync(join(folder, 'file'), '')
    await expect(ensureLocalCertificate(join(folder, 'file'), names)).rejects.toMatchObject({
      code: 'HAVN_ERR_TLS_LOCAL',
    })
  })
})
