import { randomBytes } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { loadCertificate } from '@havn/http'
import { toErrorJson } from '@havn/model/errors'
import type { CertificateSource } from '@havn/plugin-api'
import type { Logger } from '@havn/telemetry'
import type { GatewayTls } from '../config/tls-config.ts'
import type { TlsMaterial } from './tls-material.ts'

/** The length that node:tls asks for. */
const TICKET_KEYS_BYTES = 48
const DAY_MS = 86_400_000
/** A certificate that has less time than this left, and less than a quarter of its own, has not been renewed in time. */
const SOON_MS = 14 * DAY_MS

export interface TlsKeeperOptions {
  config: GatewayTls
  source: CertificateSource
  logger: Logger
  /** Those of a keeper before, so that sessions outlive a new configuration. */
  ticketKeys?: string
}

/**
 * Keeps what a gateway speaks TLS with: checks certificates before any thread sees them, takes changed ones, and makes
 * new ticket keys in time.
 */
export class TlsKeeper {
  readonly #options: TlsKeeperOptions
  #material: TlsMaterial
  #onChange: (material: TlsMaterial) => void = () => {}
  #end: () => void | Promise<void> = () => {}

  private constructor(options: TlsKeeperOptions, material: TlsMaterial) {
    this.#options = options
    this.#material = material
  }

  /** @throws HAVN_ERR_HTTP_TLS_FILE, HAVN_ERR_HTTP_TLS_KEY, HAVN_ERR_HTTP_TLS_EXPIRED, HAVN_ERR_HTTP_TLS_NAMES */
  static async open(options: TlsKeeperOptions): Promise<TlsKeeper> {
    const certificates = await options.source.read()
    check(certificates, options)
    const ticketKeys = options.ticketKeys ?? createTicketKeys()
    return new TlsKeeper(options, { certificates, ticketKeys })
  }

  get material(): TlsMaterial {
    return this.#material
  }

  /** Says from now on what has changed, until closed. */
  watch(onChange: (material: TlsMaterial) => void): void {
    const { config, source } = this.#options
    this.#onChange = onChange
    const unwatch = source.watch(() => void this.#renewOrLog())
    const rotation = setInterval(() => this.#change({ ticketKeys: createTicketKeys() }), config.ticketKeysMs)
    const reminder = setInterval(() => this.#remind(), DAY_MS)
    rotation.unref()
    reminder.unref()
    this.#end = () => {
      clearInterval(rotation)
      clearInterval(reminder)
      return unwatch()
    }
    this.#remind()
  }

  /**
   * Reads the certificates anew.
   *
   * @throws as {@link open}; those before are kept then.
   */
  async renew(): Promise<void> {
    const certificates = await this.#options.source.read()
    // Whatever has become of them since: what is served already is no reason not to reload an app.
    if (isDeepStrictEqual(certificates, this.#material.certificates)) return
    check(certificates, this.#options)
    this.#change({ certificates })
    this.#options.logger.info({ certificates: certificates.map(({ cert }) => cert) }, 'new certificates')
  }

  /** Safe to call twice. */
  async close(): Promise<void> {
    this.#onChange = () => {}
    const end = this.#end
    this.#end = () => {}
    await end()
  }

  #change(change: Partial<TlsMaterial>): void {
    this.#material = { ...this.#material, ...change }
    this.#onChange(this.#material)
  }

  /** Nobody renews a certificate whose end nobody sees coming. */
  #remind(): void {
    const { config, logger } = this.#options
    const nowMs = Date.now()
    for (const certificate of this.#material.certificates) {
      const { validFrom, validTo } = loadCertificate(
        certificate,
        { ...config, acceptsExpired: true },
        new Date(),
      )
      const leftMs = validTo.getTime() - nowMs
      if (leftMs > Math.min(SOON_MS, (validTo.getTime() - validFrom.getTime()) / 4)) continue
      const fields = { event: 'certificate.expires', cert: certificate.cert, validTo: validTo.toISOString() }
      logger.warn(
        fields,
        leftMs > 0 ? 'a certificate expires soon: renew it' : 'a certificate has expired: renew it',
      )
    }
  }

  async #renewOrLog(): Promise<void> {
    try {
      await this.renew()
    } catch (error) {
      const err = toErrorJson(error)
      this.#options.logger.error(
        { err },
        'the certificates have changed and cannot be served; those before are',
      )
    }
  }
}

/** What would be refused by a thread is refused here. */
function check(certificates: TlsMaterial['certificates'], { config }: TlsKeeperOptions): void {
  const now = new Date()
  for (const certificate of certificates) loadCertificate(certificate, config, now)
}

function createTicketKeys(): string {
  return randomBytes(TICKET_KEYS_BYTES).toString('base64')
}
