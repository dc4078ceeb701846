import { execFileSync, spawnSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensurePebble, requirePart, startPebble, type Pebble } from '@havn/tools/parts'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { AcmeManager, type AcmeCertificate, type AcmeOptions } from '../src/certificates/index.ts'
import { serveChallenges } from './serve-challenges.ts'

const programs = await requirePart('pebble', ensurePebble)
const hmacKey = Buffer.from('a key of the account that the authority gave out').toString('base64url')

describe.skipIf(programs === null)('pebble', { timeout: 60_000 }, () => {
  const root = mkdtempSync(join(tmpdir(), 'havn-acme-'))
  let pebble: Pebble
  /** The host whose challenges nobody answers. */
  let held = ''
  let heldAsked: () => void = () => {}
  let challenges: Awaited<ReturnType<typeof serveChallenges>>

  beforeAll(async () => {
    pebble = await startPebble(programs!, root)
    challenges = await serveChallenges(pebble.httpPort, root, (host) => {
      if (host !== held) return false
      heldAsked()
      return true
    })
  }, 120_000)
  afterAll(async () => {
    challenges?.close()
    challenges?.closeAllConnections()
    await pebble?.close()
    rmSync(root, { recursive: true })
  })

  const newStorage = () => mkdtempSync(join(root, 'storage-'))

  async function open(given: Partial<AcmeOptions> = {}) {
    const certificates: AcmeCertificate[] = []
    const failures: { error: Error & { code?: string }; nextAttempt: Date }[] = []
    const manager = await AcmeManager.open({
      domains: ['shop.test'],
      storage: newStorage(),
      agreeToTerms: true,
      directoryUrl: pebble.directoryUrl,
      caFile: pebble.caFile,
      onCertificate: (certificate) => certificates.push(certificate),
      onFailure: (error, nextAttempt) => failures.push({ error, nextAttempt }),
      ...given,
    })
    onTestFinished(() => manager.close())
    return { manager, certificates, failures }
  }

  async function start(given: Partial<AcmeOptions> = {}) {
    const opened = await open(given)
    opened.manager.start()
    return opened
  }

  const parse = (file: string) => new X509Certificate(readFileSync(file))
  const serialOf = (file: string) => parse(file).serialNumber
  const settled = (list: readonly unknown[], length = 1) =>
    vi.waitFor(() => expect(list.length).toBeGreaterThanOrEqual(length), { timeout: 50_000, interval: 50 })

  test('gives a certificate for all names, whose chain openssl verifies', async () => {
    const storage = newStorage()
    const { manager, certificates, failures } = await start({
      storage,
      domains: ['Shop.test', 'www.shop.test'],
    })
    await settled(certificates)
    await manager.close()
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
    expect(validTo).toEqual(new Date(parse(cert).validTo))
    expect(readdirSync(join(storage, 'challenges'))).toEqual([])
    const files = readdirSync(storage).filter((name) => name !== 'challenges')
    expect(files.map((name) => name.split('-')[0]).sort()).toEqual(['account', 'certificate'])
    for (const file of files) expect(statSync(join(storage, file)).mode & 0o777).toBe(0o600)
  })

  test('is not asked again at a restart, nor for a name that nobody named', async () => {
    const storage = newStorage()
    const first = await start({ storage })
    await settled(first.certificates)
    await first.manager.close()
    const before = pebble.orders()
    const again = await start({ storage })
    expect(again.manager.certificate).toMatchObject(first.certificates[0]!)
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(pebble.orders()).toBe(before)
    expect(again.certificates).toEqual([])
    const other = await start({ storage, domains: ['other.test'] })
    await settled(other.certificates)
    expect(other.certificates[0]!.cert).not.toBe(first.certificates[0]!.cert)
  })

  test('is asked once by all who share a storage', async () => {
    const storage = newStorage()
    const before = pebble.orders()
    const all = await Promise.all([start({ storage }), start({ storage }), start({ storage })])
    for (const { certificates } of all) await settled(certificates)
    expect(pebble.orders()).toBe(before + 1)
    expect(new Set(all.map(({ certificates }) => serialOf(certificates[0]!.cert))).size).toBe(1)
  })

  test('renews while a third of a certificate’s time is left, by itself', async () => {
    const brief = await startPebble(programs!, mkdtempSync(join(root, 'brief-')), { validityS: 20 })
    onTestFinished(() => brief.close())
    const answers = await serveChallenges(brief.httpPort, root)
    onTestFinished(() => void answers.close())
    const { directoryUrl, caFile } = brief
    const { certificates, failures } = await start({ directoryUrl, caFile, domains: ['brief.test'] })
    await settled(certificates)
    const serial = serialOf(certificates[0]!.cert)
    await settled(certificates, 2)
    expect(failures).toEqual([])
    expect(certificates[1]!.cert).toBe(certificates[0]!.cert)
    expect(serialOf(certificates[1]!.cert)).not.toBe(serial)
  })

  test.each([
    ['ecdsa-p384', 'ec', { namedCurve: 'secp384r1' }],
    ['rsa-2048', 'rsa', { modulusLength: 2048 }],
  ] as const)('makes a key of type %s, also where there was another', async (keyType, type, details) => {
    const storage = newStorage()
    const domains = ['key.test']
    const before = await start({ storage, domains })
    await settled(before.certificates)
    const { certificates } = await start({ storage, domains, keyType })
    await settled(certificates)
    const { asymmetricKeyType, asymmetricKeyDetails } = parse(certificates[0]!.cert).publicKey
    expect([asymmetricKeyType, asymmetricKeyDetails]).toEqual([type, expect.objectContaining(details)])
  })

  test('renews when it is asked to, and orders anew what is damaged', async () => {
    const storage = newStorage()
    const { manager, certificates } = await start({ storage, domains: ['asked.test'] })
    await settled(certificates)
    const serial = serialOf(certificates[0]!.cert)
    await manager.renew()
    expect(certificates).toHaveLength(2)
    expect(serialOf(certificates[1]!.cert)).not.toBe(serial)
    await manager.close()
    writeFileSync(certificates[0]!.cert, 'half a certif')
    const again = await start({ storage, domains: ['asked.test'] })
    expect(again.manager.certificate).toBeNull()
    await settled(again.certificates)
  })

  test('takes over the lock of a process that is no more, and what it left', async () => {
    const storage = newStorage()
    const { pid } = spawnSync(process.execPath, ['-e', ''])
    writeFileSync(join(storage, 'order.lock'), `${pid}.x ${hostname()}`)
    mkdirSync(join(storage, 'challenges'))
    writeFileSync(join(storage, 'challenges', 'left'), '')
    const { manager, certificates } = await start({ storage, domains: ['stale.test'] })
    await settled(certificates)
    await manager.close()
    expect(existsSync(join(storage, 'order.lock'))).toBe(false)
    expect(readdirSync(join(storage, 'challenges'))).toEqual([])
  })

  test('leaves the lock to a process of another machine until it is old', async () => {
    const storage = newStorage()
    const lock = join(storage, 'order.lock')
    writeFileSync(lock, '1.x elsewhere')
    const { manager, certificates, failures } = await open({ storage, domains: ['far.test'] })
    const before = pebble.orders()
    await manager.renew()
    expect([certificates, failures, pebble.orders()]).toEqual([[], [], before])
    const old = new Date(Date.now() - 16 * 60_000)
    utimesSync(lock, old, old)
    await manager.renew()
    expect(certificates).toHaveLength(1)
  })

  test.each([
    ['nowhere.test', 'HAVN_ERR_ACME_CONNECTION', () => pebble.setServfail('nowhere.test')],
    ['closed.test', 'HAVN_ERR_ACME_CONNECTION', () => pebble.setAddress('closed.test', '127.0.0.9')],
    ['blocked.test', 'HAVN_ERR_ACME_REFUSED', async () => {}],
  ])('a failure for %s is told as %s, keeps what is there, and waits', async (name, code, prepare) => {
    await prepare()
    const storage = newStorage()
    const { certificates, failures } = await start({ storage, domains: [name] })
    await settled(failures)
    const [{ error, nextAttempt }] = failures as [(typeof failures)[0]]
    expect(error).toMatchObject({ code, message: expect.stringContaining(name) })
    const waitMs = nextAttempt.getTime() - Date.now()
    expect(waitMs).toBeGreaterThan(4 * 60_000)
    expect(waitMs).toBeLessThan(7 * 60_000)
    expect(certificates).toEqual([])
    // Where an order is refused at once, no challenge was made.
    const challengeFolder = join(storage, 'challenges')
    if (existsSync(challengeFolder)) expect(readdirSync(challengeFolder)).toEqual([])
  })

  test('a name that leads to somebody else is told of', async () => {
    const { failures } = await start({ domains: ['theirs.test'], storage: join(root, 'elsewhere') })
    await settled(failures)
    expect(failures[0]!.error.code).toBe('HAVN_ERR_ACME_ANSWER')
  })

  test('a failed renewal leaves the certificate as it was', async () => {
    const storage = newStorage()
    const first = await start({ storage, domains: ['kept.test'] })
    await settled(first.certificates)
    const before = readFileSync(first.certificates[0]!.cert)
    await pebble.setServfail('kept.test')
    await first.manager.renew()
    expect(first.failures.map(({ error }) => error.code)).toEqual(['HAVN_ERR_ACME_CONNECTION'])
    expect(readFileSync(first.certificates[0]!.cert)).toEqual(before)
    expect(first.manager.certificate).toMatchObject(first.certificates[0]!)
  })

  test('takes what another process got while it waits to try again', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    onTestFinished(() => void vi.useRealTimers())
    const [storage, domains] = [newStorage(), ['late.test']]
    await pebble.setServfail('late.test')
    const { manager, certificates, failures } = await start({ storage, domains })
    onTestFinished(() => pebble.clearServfail('late.test'))
    for (let left = 500; failures.length === 0 && left > 0; left--)
      await new Promise((resolve) => setTimeout(resolve, 100))
    expect([failures.length, manager.certificate]).toEqual([1, null])
    await pebble.clearServfail('late.test')
    const other = await open({ storage, domains })
    await other.manager.renew()
    expect(certificates).toEqual([])
    vi.advanceTimersByTime(30_000)
    for (let left = 500; certificates.length === 0 && left > 0; left--)
      await new Promise((resolve) => setTimeout(resolve, 20))
    expect(certificates).toEqual(other.certificates)
    expect(Object.keys(certificates[0]!).sort()).toEqual(['cert', 'key', 'validTo'])
  })

  test('each failure in a row waits about twice as long', async () => {
    const { manager, failures } = await start({ domains: ['blocked.test'] })
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
      const { failures } = await start({ ...given, caFile: undefined })
      await settled(failures)
      expect(failures[0]!.error).toMatchObject({ code: 'HAVN_ERR_ACME_UNREACHABLE' })
    }
  })

  test.each([
    ['domains.0: must not be a wildcard', { domains: ['*.shop.test'] }],
    ['domains.0: must be a name, not an address', { domains: ['127.0.0.1'] }],
    ['domains.1: must be a name, not an address', { domains: ['a.test', '::1'] }],
    ['domains.0: must be a name of the internet', { domains: ['shop.localhost'] }],
    ['domains.0: must be a domain', { domains: ['shop'] }],
    ['domains.0: must be a domain', { domains: ['../b.test'] }],
    ['domains.0: must be a domain', { domains: ['a..test'] }],
    ['domains: ', { domains: [] }],
    ['agreeToTerms: must be true', { agreeToTerms: false as never }],
    ['directoryUrl: must be an https URL', { directoryUrl: 'http://authority.test/dir' }],
    ['needs either directoryUrl or staging', { staging: true }],
  ])('refuses at once: %s', async (problem, given) => {
    await expect(open(given)).rejects.toMatchObject({
      code: 'HAVN_ERR_ACME_CONFIG',
      message: expect.stringContaining(problem),
    })
  })

  test('refuses a storage that is none, and files that are not there', async () => {
    const file = join(root, 'file')
    writeFileSync(file, '')
    await expect(open({ storage: join(file, 'below') })).rejects.toMatchObject({
      code: 'HAVN_ERR_CERTIFICATE_STORE',
      message: expect.stringContaining(file),
    })
    const missing = join(root, 'missing')
    const refusal = { code: 'HAVN_ERR_ACME_FILE', message: expect.stringContaining(missing) }
    await expect(open({ caFile: missing })).rejects.toMatchObject(refusal)
    await expect(open({ externalAccount: { keyId: 'kid-1', hmacKeyFile: missing } })).rejects.toMatchObject(
      refusal,
    )
  })

  test('an order is broken off by close', async () => {
    held = 'broken-off.test'
    const asked = new Promise<void>((resolve) => (heldAsked = resolve))
    const storage = newStorage()
    const { manager, certificates, failures } = await start({ storage, domains: [held] })
    await asked
    await manager.close()
    await manager.close()
    expect([certificates.length, failures.length]).toEqual([0, 0])
    expect(readdirSync(join(storage, 'challenges'))).toEqual([])
    expect(existsSync(join(storage, 'order.lock'))).toBe(false)
  })

  describe('with external account binding', () => {
    let bound: Pebble
    let answers: typeof challenges
    const hmacKeyFile = join(root, 'hmac')
    const authority = () => ({ directoryUrl: bound.directoryUrl, caFile: bound.caFile })
    beforeAll(async () => {
      writeFileSync(hmacKeyFile, `${hmacKey}\n`)
      const folder = mkdtempSync(join(root, 'bound-'))
      bound = await startPebble(programs!, folder, { externalAccount: { keyId: 'kid-1', hmacKey } })
      answers = await serveChallenges(bound.httpPort, root)
    })
    afterAll(async () => {
      answers?.close()
      await bound?.close()
    })

    test('orders with the key that the authority gave', async () => {
      const externalAccount = { keyId: 'kid-1', hmacKeyFile }
      const { certificates, failures } = await start({ ...authority(), externalAccount, profile: 'plain' })
      await settled(certificates)
      expect(failures).toEqual([])
    })

    test.each([[undefined], [{ keyId: 'another', hmacKeyFile }]])('is refused with %j', async (given) => {
      const { failures } = await start({ ...authority(), externalAccount: given })
      await settled(failures)
      expect(failures[0]!.error).toMatchObject({ code: 'HAVN_ERR_ACME_ACCOUNT' })
    })
  })
})
