import { execFileSync, spawnSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { requirePart } from '@havn/tools/parts'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { AcmeManager, type AcmeCertificate, type AcmeOptions } from '../src/certificates/index.ts'
import { ensurePebble, serveChallenges, startPebble, type Pebble } from './pebble.ts'

const programs = await requirePart('pebble', ensurePebble)
const externalAccount = {
  keyId: 'kid-1',
  hmacKey: Buffer.from('a key of the account that the authority gave out').toString('base64url'),
}

describe.skipIf(programs === null)('pebble', { timeout: 60_000 }, () => {
  const root = mkdtempSync(join(tmpdir(), 'havn-acme-'))
  const challengeDirectory = join(root, 'challenges')
  let pebble: Pebble
  let challenges: Awaited<ReturnType<typeof serveChallenges>>

  beforeAll(async () => {
    pebble = await startPebble(programs!, root)
    challenges = await serveChallenges(pebble.httpPort, challengeDirectory)
  }, 120_000)
  afterAll(async () => {
    challenges?.close()
    await pebble?.close()
    rmSync(root, { recursive: true })
  })

  const newStorage = () => mkdtempSync(join(root, 'storage-'))

  async function open(given: Partial<AcmeOptions> = {}) {
    const certificates: AcmeCertificate[] = []
    const failures: { error: Error & { code?: string }; nextAttempt: Date }[] = []
    const manager = await AcmeManager.open({
      names: ['shop.test'],
      storage: newStorage(),
      challengeDirectory,
      agreesToTerms: true,
      directoryUrl: pebble.directoryUrl,
      trusted: pebble.trusted,
      onCertificate: (certificate) => certificates.push(certificate),
      onFailure: (error, nextAttempt) => failures.push({ error, nextAttempt }),
      ...given,
    })
    onTestFinished(() => manager.close())
    return { manager, certificates, failures }
  }

  const orders = () => pebble.output().match(/Added order/g)?.length ?? 0
  const serialOf = (file: string) => new X509Certificate(readFileSync(file)).serialNumber
  const settled = (list: readonly unknown[], length = 1) =>
    vi.waitFor(() => expect(list).toHaveLength(length), { timeout: 40_000, interval: 50 })

  test('gives a certificate for all names, whose chain openssl verifies', async () => {
    const storage = newStorage()
    const { certificates, failures } = await open({ storage, names: ['Shop.test', 'www.shop.test'] })
    await settled(certificates)
    expect(failures).toEqual([])
    const [{ cert, validTo }] = certificates as [AcmeCertificate]
    const trusted = join(root, 'root.pem')
    writeFileSync(trusted, await pebble.root())
    for (const name of ['shop.test', 'www.shop.test']) {
      const flags = [
        '-CAfile',
        trusted,
        '-untrusted',
        cert,
        '-purpose',
        'sslserver',
        '-verify_hostname',
        name,
      ]
      expect(execFileSync('openssl', ['verify', ...flags, cert], { encoding: 'utf8' })).toContain(': OK')
    }
    expect(validTo.getTime()).toBeGreaterThan(Date.now() + 80 * 86_400_000)
    const files = readdirSync(storage)
    expect(files).toHaveLength(2)
    for (const file of files) expect(statSync(join(storage, file)).mode & 0o777).toBe(0o600)
    expect(readdirSync(challengeDirectory)).toEqual([])
  })

  test('is not asked again at a restart, nor for a name that nobody named', async () => {
    const storage = newStorage()
    const first = await open({ storage })
    await settled(first.certificates)
    await first.manager.close()
    const before = orders()
    const again = await open({ storage })
    expect(again.certificates).toEqual(first.certificates)
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(orders()).toBe(before)
    const other = await open({ storage, names: ['other.test'] })
    await settled(other.certificates)
    expect(other.certificates[0]!.cert).not.toBe(first.certificates[0]!.cert)
  })

  test('is asked once by all who share a storage', async () => {
    const storage = newStorage()
    const before = orders()
    const all = await Promise.all([open({ storage }), open({ storage }), open({ storage })])
    for (const { certificates } of all) await settled(certificates)
    expect(orders()).toBe(before + 1)
    expect(new Set(all.map(({ certificates }) => serialOf(certificates[0]!.cert))).size).toBe(1)
  })

  test('renews after two thirds of a certificate’s time, by itself', async () => {
    const { certificates, failures } = await open({ profile: 'brief', names: ['brief.test'] })
    await settled(certificates)
    const serial = serialOf(certificates[0]!.cert)
    await settled(certificates, 2)
    expect(failures).toEqual([])
    expect(certificates[1]!.cert).toBe(certificates[0]!.cert)
    expect(serialOf(certificates[1]!.cert)).not.toBe(serial)
  })

  test('renews when it is asked to, and orders anew what is damaged', async () => {
    const storage = newStorage()
    const { manager, certificates } = await open({ storage, names: ['asked.test'] })
    await settled(certificates)
    const serial = serialOf(certificates[0]!.cert)
    await manager.renew()
    expect(certificates).toHaveLength(2)
    expect(serialOf(certificates[1]!.cert)).not.toBe(serial)
    await manager.close()
    writeFileSync(certificates[0]!.cert, 'half a certif')
    const again = await open({ storage, names: ['asked.test'] })
    await settled(again.certificates)
  })

  test('takes over the lock of a process that is no more', async () => {
    const storage = newStorage()
    const { pid } = spawnSync(process.execPath, ['-e', ''])
    writeFileSync(join(storage, 'order.lock'), `${pid}.x`)
    const { certificates } = await open({ storage, names: ['stale.test'] })
    await settled(certificates)
    expect(existsSync(join(storage, 'order.lock'))).toBe(false)
  })

  test.each([
    ['nowhere.test', 'HAVN_ERR_ACME_CONNECTION', () => pebble.setServfail('nowhere.test')],
    ['closed.test', 'HAVN_ERR_ACME_CONNECTION', () => pebble.setAddress('closed.test', '127.0.0.9')],
    ['blocked.test', 'HAVN_ERR_ACME_REFUSED', async () => {}],
  ])('a failure for %s is told as %s, keeps what is there, and waits', async (name, code, prepare) => {
    await prepare()
    const { certificates, failures } = await open({ names: [name] })
    await settled(failures)
    const [{ error, nextAttempt }] = failures as [(typeof failures)[0]]
    expect(error).toMatchObject({ code, message: expect.stringContaining(name) })
    const waitMs = nextAttempt.getTime() - Date.now()
    expect(waitMs).toBeGreaterThan(4 * 60_000)
    expect(waitMs).toBeLessThan(7 * 60_000)
    expect(certificates).toEqual([])
    expect(readdirSync(challengeDirectory)).toEqual([])
  })

  test('a name that leads to somebody else is told of', async () => {
    const elsewhere = join(root, 'elsewhere')
    const { failures } = await open({ names: ['theirs.test'], challengeDirectory: elsewhere })
    await settled(failures)
    expect(failures[0]!.error.code).toBe('HAVN_ERR_ACME_ANSWER')
  })

  test('a failed renewal leaves the certificate as it was', async () => {
    const storage = newStorage()
    const first = await open({ storage, names: ['kept.test'] })
    await settled(first.certificates)
    const before = readFileSync(first.certificates[0]!.cert)
    await pebble.setServfail('kept.test')
    await first.manager.renew()
    expect(first.failures.map(({ error }) => error.code)).toEqual(['HAVN_ERR_ACME_CONNECTION'])
    expect(readFileSync(first.certificates[0]!.cert)).toEqual(before)
  })

  test('each failure in a row waits about twice as long', async () => {
    const { manager, failures } = await open({ names: ['blocked.test'] })
    await settled(failures)
    await manager.renew()
    await manager.renew()
    const waits = failures.map(({ nextAttempt }) => nextAttempt.getTime() - Date.now())
    expect(waits).toHaveLength(3)
    expect(waits[2]).toBeGreaterThan(waits[1]! * 1.5)
    expect(waits[2]).toBeGreaterThan(19 * 60_000)
  })

  test('a directory that cannot be reached, or is nobody’s to trust, is told of', async () => {
    const url = new URL(pebble.directoryUrl)
    url.hostname = 'localhost'
    for (const given of [{ directoryUrl: 'https://127.0.0.1:1/dir' }, { directoryUrl: url.href }]) {
      const { failures } = await open({ ...given, trusted: undefined })
      await settled(failures)
      expect(failures[0]!.error).toMatchObject({ code: 'HAVN_ERR_ACME_UNREACHABLE' })
    }
  })

  test.each([[['*.shop.test']], [['127.0.0.1']], [['shop']], [['a.test', '../b']], [[]], [['a..test']]])(
    'names such as %j are refused at once',
    async (names) => {
      await expect(open({ names })).rejects.toMatchObject({ code: 'HAVN_ERR_ACME_NAMES' })
    },
  )

  test('an order is broken off by close', async () => {
    const { manager, certificates, failures } = await open({ names: ['broken-off.test'] })
    await vi.waitFor(() => expect(pebble.output()).toContain('broken-off.test'))
    await manager.close()
    await manager.close()
    expect([certificates.length, failures.length]).toEqual([0, 0])
    expect(readdirSync(challengeDirectory)).toEqual([])
  })

  describe('with external account binding', () => {
    let bound: Pebble
    let answers: typeof challenges
    beforeAll(async () => {
      const folder = mkdtempSync(join(root, 'bound-'))
      bound = await startPebble(programs!, folder, { externalAccount })
      answers = await serveChallenges(bound.httpPort, challengeDirectory)
    })
    afterAll(async () => {
      answers?.close()
      await bound?.close()
    })
    const authority = () => ({ directoryUrl: bound.directoryUrl, trusted: bound.trusted })

    test('orders with the key that the authority gave', async () => {
      const { certificates, failures } = await open({ ...authority(), externalAccount })
      await settled(certificates)
      expect(failures).toEqual([])
    })

    test.each([[undefined], [{ ...externalAccount, keyId: 'another' }]])(
      'is refused with %j',
      async (given) => {
        const { failures } = await open({ ...authority(), externalAccount: given })
        await settled(failures)
        expect(failures[0]!.error).toMatchObject({ code: 'HAVN_ERR_ACME_ACCOUNT' })
      },
    )
  })
})
