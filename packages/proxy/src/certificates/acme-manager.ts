import { X509Certificate, createHash, createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { directory as directories } from 'acme-client'
import { AcmeProblem } from './acme-problem.ts'
import { ensureAcme, readSecrets, type AcmeSettings } from './acme-settings.ts'
import { challengeDirectory } from './challenge-directory.ts'
import { orderCertificate } from './order-certificate.ts'
import { tryLock } from './order-lock.ts'
import { orStoreError, writePrivateFile } from './private-files.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const ORDER_MS = 5 * MINUTE_MS
/** With doubling, four attempts in the first hour: Let's Encrypt takes five failed validations of a name an hour. */
const FIRST_RETRY_MS = 5 * MINUTE_MS
const LAST_RETRY_MS = 12 * HOUR_MS
const RATE_LIMIT_MS = HOUR_MS
/** Let's Encrypt counts its limits by the week; nobody is left without a try for longer. */
const LONGEST_RETRY_AFTER_MS = 7 * 24 * HOUR_MS
/** How often to look whether the process that orders is done, and at any time whether another has ordered. */
const OTHER_ORDERS_MS = 5_000
const LOOK_MS = 30_000
/** Timers take no more than 2^31-1 ms. */
const LONGEST_WAIT_MS = 24 * HOUR_MS
const RENEW_WHEN_LEFT = 1 / 3

/** A certificate of an authority, in a file. */
export interface AcmeCertificate {
  /** PEM file of the chain and the key: they change together. */
  cert: string
  /** The same file. */
  key: string
  validTo: Date
}

/** What an {@link AcmeManager} is for, and whom it tells. */
export interface AcmeOptions extends AcmeSettings {
  /** Told of each new certificate. */
  onCertificate(certificate: AcmeCertificate): void
  /** Told of each failure, which has a code, and when the next attempt is. */
  onFailure(error: Error, nextAttempt: Date): void
}

/**
 * Keeps a certificate of an authority (ACME, RFC 8555): orders it when there is none, and again while a share of its
 * time is left. Of the processes that share a storage one orders, and all get what it got. Failures are told and tried
 * again, more and more rarely; whatever certificate is there is kept.
 */
export class AcmeManager {
  readonly #options: AcmeOptions
  readonly #directoryUrl: string
  readonly #file: string
  readonly #stop = new AbortController()
  #timer: NodeJS.Timeout | undefined
  #look: NodeJS.Timeout | undefined
  /** Apart from its text, which holds the key: what is told of may be logged. */
  #kept: AcmeCertificate | null = null
  #pem = ''
  #failures = 0
  #working: Promise<void> = Promise.resolve()

  private constructor(options: AcmeOptions) {
    const { directoryUrl, staging, profile = '', keyType = '' } = options
    const domains = [...new Set(options.domains.map((domain) => domain.toLowerCase()))]
    this.#options = { ...options, domains }
    const { letsencrypt } = directories
    this.#directoryUrl = directoryUrl ?? (staging ? letsencrypt.staging : letsencrypt.production)
    const identity = [this.#directoryUrl, profile, keyType, ...domains.toSorted()]
    this.#file = join(options.storage, `certificate-${digest(identity.join('\n'))}.pem`)
  }

  /**
   * Looks at the certificate that is kept, and asks nobody for another before {@link start}.
   *
   * @throws HAVN_ERR_ACME_CONFIG, HAVN_ERR_ACME_FILE, HAVN_ERR_CERTIFICATE_STORE
   */
  static async open(options: AcmeOptions): Promise<AcmeManager> {
    const { onCertificate: _new, onFailure: _failure, ...config } = options
    await ensureAcme(config)
    const manager = new AcmeManager(options)
    await manager.#readKept()
    return manager
  }

  /** The certificate that can be served now; null before the first. */
  get certificate(): AcmeCertificate | null {
    return this.#kept
  }

  /** Orders where there is need to, from now on. */
  start(): void {
    this.#wait(this.#untilRenewal() ?? 0)
    this.#look = setInterval(() => {
      this.#working = this.#working.then(() => this.#takeTheirs())
    }, LOOK_MS).unref()
  }

  /** Orders now, whatever time is left; waits for an order that is under way. Failures are told as ever. */
  async renew(): Promise<void> {
    clearTimeout(this.#timer)
    await this.#work(true)
  }

  /** Breaks off an order that is under way, and begins no other. Safe to call twice. */
  async close(): Promise<void> {
    clearTimeout(this.#timer)
    clearInterval(this.#look)
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
    const { storage, domains, email, keyType, profile } = this.#options
    const unlock = await tryLock(join(storage, 'order.lock'))
    if (unlock === null) return Math.max((await this.#takeKept()) ?? 0, OTHER_ORDERS_MS)
    try {
      // Another process may have been here just before.
      const keptMs = await this.#takeKept()
      if (keptMs !== null && keptMs > 0 && !isForced) return keptMs
      const directory = challengeDirectory(storage)
      // What an order left there whose process was killed.
      await rm(directory, { recursive: true, force: true })
      const { chain, key } = await orderCertificate({
        directoryUrl: this.#directoryUrl,
        accountKey: await this.#accountKey(),
        ...(await readSecrets(this.#options)),
        domains,
        email,
        keyType,
        profile,
        challengeDirectory: directory,
        signal: AbortSignal.any([this.#stop.signal, AbortSignal.timeout(ORDER_MS)]),
      })
      await writePrivateFile(this.#file, key + chain)
      // One that is due as soon as it is there (a clock that is wrong) is no reason to order in a circle.
      return (await this.#takeKept()) || FIRST_RETRY_MS
    } finally {
      await unlock()
    }
  }

  /** What another process got while this one waits for its next attempt. */
  async #takeTheirs(): Promise<void> {
    if (this.#stop.signal.aborted) return
    const before = this.#kept
    try {
      const keptMs = await this.#takeKept()
      if (this.#kept === before) return
      this.#failures = 0
      this.#wait(keptMs ?? 0)
    } catch (error) {
      this.#options.onFailure(error as Error, new Date(Date.now() + LOOK_MS))
    }
  }

  /** Reads what is kept, and tells of it where it is new. @returns as {@link #untilRenewal} */
  async #takeKept(): Promise<number | null> {
    const isNew = await this.#readKept()
    if (isNew) this.#options.onCertificate(this.#kept!)
    return this.#untilRenewal()
  }

  /** @returns whether there is another than before. One that is no more, or has expired, changes nothing. */
  async #readKept(): Promise<boolean> {
    const pem = await readFile(this.#file, 'utf8').catch(() => null)
    if (pem === null || pem === this.#pem) return false
    const validTo = endOf(pem)
    if (validTo === null) return false
    this.#kept = { cert: this.#file, key: this.#file, validTo }
    this.#pem = pem
    return true
  }

  /** Until the certificate has to be renewed; 0 where that is past, null where there is none. */
  #untilRenewal(): number | null {
    if (this.#kept === null) return null
    const { validFrom, validTo } = new X509Certificate(this.#pem)
    const [from, to] = [Date.parse(validFrom), Date.parse(validTo)]
    const { renewWhenLeft = RENEW_WHEN_LEFT } = this.#options
    // Up to a hundredth sooner: not all servers of a fleet at once.
    const renewAt = to - (to - from) * (renewWhenLeft + Math.random() / 100)
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

/** When a certificate ends; null for what cannot be served: damaged, or at its end. */
function endOf(pem: string): Date | null {
  try {
    const certificate = new X509Certificate(pem)
    if (!certificate.checkPrivateKey(createPrivateKey(pem))) return null
    const validTo = new Date(certificate.validTo)
    return validTo > new Date() ? validTo : null
  } catch {
    return null
  }
}

function retryMs(error: unknown, failures: number): number {
  const { cause } = error as Error
  const askedMs = cause instanceof AcmeProblem ? (cause.retryAfterMs ?? 0) : 0
  const boundedMs = Math.min(askedMs, LONGEST_RETRY_AFTER_MS)
  const isLimited = (error as { code?: string }).code === 'HAVN_ERR_ACME_RATE_LIMITED'
  const grownMs = Math.min(FIRST_RETRY_MS * 2 ** failures, LAST_RETRY_MS)
  const jitteredMs = grownMs * (1 + Math.random() / 4)
  return Math.max(jitteredMs, boundedMs, isLimited ? RATE_LIMIT_MS : 0)
}
