import { X509Certificate, createHash, createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { directory as directories } from 'acme-client'
import { errors } from '../errors.ts'
import { AcmeProblem } from './acme-problem.ts'
import { orderCertificate, type OrderOptions } from './order-certificate.ts'
import { tryLock } from './order-lock.ts'
import { ensurePrivateDirectory, orStoreError, writePrivateFile } from './private-files.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const ORDER_MS = 5 * MINUTE_MS
/** With doubling, four attempts in the first hour: Let's Encrypt takes five failed validations of a name an hour. */
const FIRST_RETRY_MS = 5 * MINUTE_MS
const LAST_RETRY_MS = 12 * HOUR_MS
const RATE_LIMIT_MS = HOUR_MS
/** How often to look whether the process that orders is done. */
const OTHER_ORDERS_MS = 5_000
/** Timers take no more than 2^31-1 ms. */
const LONGEST_WAIT_MS = 24 * HOUR_MS
const NAME = /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/
const MAX_NAMES = 100

/** A certificate of an authority, in a file. */
export interface AcmeCertificate {
  /** PEM file of the chain and the key: they change together. */
  cert: string
  /** The same file. */
  key: string
  validTo: Date
}

/** What an {@link AcmeManager} is for. */
export interface AcmeOptions extends Pick<
  OrderOptions,
  'challengeDirectory' | 'email' | 'externalAccount' | 'profile' | 'trusted'
> {
  /** The names that the certificate is for, and no others: 1 to 100 DNS names without wildcards. */
  names: readonly string[]
  /** Where the account's key and certificates are kept; private to this user. */
  storage: string
  /** The authority's terms of service have been agreed to (RFC 8555 §7.3.3). */
  agreesToTerms: true
  /** Let's Encrypt's where it is absent. */
  directoryUrl?: string
  /** Let's Encrypt's servers for trying out, whose certificates nobody trusts. */
  staging?: boolean
  /** Told of the certificate of before, if there is one, and of each new one. */
  onCertificate(certificate: AcmeCertificate): void
  /** Told of each failure, which has a code, and when the next attempt is. */
  onFailure(error: Error, nextAttempt: Date): void
}

/**
 * Keeps a certificate of an authority (ACME, RFC 8555): orders it when there is none, and again after two thirds of its
 * time. Of the processes that share a storage one orders, and all get what it got. Failures are told and tried again,
 * more and more rarely; whatever certificate is there is kept.
 */
export class AcmeManager {
  readonly #options: AcmeOptions
  readonly #directoryUrl: string
  readonly #file: string
  readonly #stop = new AbortController()
  #timer: NodeJS.Timeout | undefined
  #pem: string | null = null
  #failures = 0
  #working: Promise<void> = Promise.resolve()

  private constructor(options: AcmeOptions) {
    this.#options = { ...options, names: [...new Set(options.names.map((name) => name.toLowerCase()))] }
    const { production, staging } = directories.letsencrypt
    this.#directoryUrl = options.directoryUrl ?? (options.staging ? staging : production)
    const identity = [this.#directoryUrl, options.profile ?? '', ...this.#options.names.toSorted()]
    this.#file = join(options.storage, `certificate-${digest(identity.join('\n'))}.pem`)
  }

  /**
   * Tells of the certificate that is kept, and begins to order one where it has to.
   *
   * @throws HAVN_ERR_ACME_NAMES, HAVN_ERR_CERTIFICATE_STORE
   */
  static async open(options: AcmeOptions): Promise<AcmeManager> {
    const manager = new AcmeManager(options)
    const { names } = manager.#options
    const wrong = names.filter((name) => !NAME.test(name))
    if (wrong.length > 0 || names.length === 0 || names.length > MAX_NAMES)
      throw errors.HAVN_ERR_ACME_NAMES({ names, wrong })
    await ensurePrivateDirectory(options.storage)
    manager.#wait((await manager.#takeKept()) ?? 0)
    return manager
  }

  /** Orders now, whatever time is left; waits for an order that is under way. Failures are told as ever. */
  async renew(): Promise<void> {
    clearTimeout(this.#timer)
    await this.#work(true)
  }

  /** Ends an order that is under way, and begins no other. Safe to call twice. */
  async close(): Promise<void> {
    clearTimeout(this.#timer)
    this.#stop.abort()
    await this.#working
  }

  #wait(ms: number): void {
    clearTimeout(this.#timer)
    if (this.#stop.signal.aborted) return
    const isWhole = ms <= LONGEST_WAIT_MS
    this.#timer = setTimeout(
      () => void (isWhole ? this.#work(false) : this.#wait(ms - LONGEST_WAIT_MS)),
      Math.min(ms, LONGEST_WAIT_MS),
    )
  }

  async #work(isForced: boolean): Promise<void> {
    this.#working = this.#working.then(() => this.#orderOrTell(isForced))
    await this.#working
  }

  async #orderOrTell(isForced: boolean): Promise<void> {
    if (this.#stop.signal.aborted) return
    try {
      this.#wait(await this.#order(isForced))
      this.#failures = 0
    } catch (error) {
      if (this.#stop.signal.aborted) return
      const waitMs = retryMs(error, this.#failures++)
      this.#wait(waitMs)
      this.#options.onFailure(error as Error, new Date(Date.now() + waitMs))
    }
  }

  /** @returns how long to wait for the next. */
  async #order(isForced: boolean): Promise<number> {
    const { storage } = this.#options
    const unlock = await tryLock(join(storage, 'order.lock'))
    if (unlock === null) return Math.max((await this.#takeKept()) ?? 0, OTHER_ORDERS_MS)
    try {
      // Another process may have been here just before.
      const keptMs = await this.#takeKept()
      if (keptMs !== null && keptMs > 0 && !isForced) return keptMs
      const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(ORDER_MS)])
      const accountKey = await this.#accountKey()
      const options = { ...this.#options, directoryUrl: this.#directoryUrl, accountKey, signal }
      const { chain, key } = await orderCertificate(options)
      await writePrivateFile(this.#file, key + chain)
      // One that is due as soon as it is there (a clock that is wrong) is no reason to order in a circle.
      return (await this.#takeKept()) || FIRST_RETRY_MS
    } finally {
      await unlock()
    }
  }

  /** @returns until when it has to be renewed, from now; 0 where that is past, null where there is no certificate. */
  async #takeKept(): Promise<number | null> {
    const pem = await readFile(this.#file, 'utf8').catch(() => null)
    const kept = pem === null ? null : read(pem)
    if (pem === null || kept === null) return null
    if (pem !== this.#pem) {
      this.#pem = pem
      this.#options.onCertificate({ cert: this.#file, key: this.#file, validTo: kept.validTo })
    }
    const [from, to] = [kept.validFrom.getTime(), kept.validTo.getTime()]
    // Up to a hundredth sooner: not all servers of a fleet at once.
    const renewAt = from + (to - from) * (2 / 3 - Math.random() / 100)
    return Math.max(0, renewAt - Date.now())
  }

  async #accountKey(): Promise<string> {
    const file = join(this.#options.storage, `account-${digest(this.#directoryUrl)}.key.pem`)
    const before = await orStoreError(file, () => readIfThere(file))
    if (before !== null) return before
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    await writePrivateFile(file, pem)
    return pem
  }
}

async function readIfThere(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}

/** Null for what cannot be served: damaged, or at its end. */
function read(pem: string): { validFrom: Date; validTo: Date } | null {
  try {
    const certificate = new X509Certificate(pem)
    if (!certificate.checkPrivateKey(createPrivateKey(pem))) return null
    const [validFrom, validTo] = [new Date(certificate.validFrom), new Date(certificate.validTo)]
    return validTo > new Date() ? { validFrom, validTo } : null
  } catch {
    return null
  }
}

function retryMs(error: unknown, failures: number): number {
  const { cause } = error as Error
  const asked = cause instanceof AcmeProblem ? (cause.retryAfterMs ?? 0) : 0
  const isLimited = (error as { code?: string }).code === 'HAVN_ERR_ACME_RATE_LIMITED'
  const grownMs = Math.min(FIRST_RETRY_MS * 2 ** failures, LAST_RETRY_MS)
  const jittered = grownMs * (1 + Math.random() / 4)
  return Math.max(jittered, isLimited ? Math.max(asked, RATE_LIMIT_MS) : asked)
}
