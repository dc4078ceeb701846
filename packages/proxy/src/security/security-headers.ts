import type { ServerResponse } from 'node:http'
import type { Security } from '@havn/model'

type Settings = Omit<Security, 'profile'>

const PROFILES: Record<Security['profile'], Settings> = {
  off: {},
  basic: {
    contentTypeOptions: 'nosniff',
    frameOptions: 'SAMEORIGIN',
    referrerPolicy: 'strict-origin-when-cross-origin',
  },
  strict: {
    hsts: { maxAgeS: 31_536_000, includeSubDomains: false, preload: false },
    contentTypeOptions: 'nosniff',
    frameOptions: 'DENY',
    contentSecurityPolicy:
      "default-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
    referrerPolicy: 'same-origin',
    permissionsPolicy: 'camera=(), geolocation=(), microphone=()',
    crossOriginOpenerPolicy: 'same-origin',
  },
}

/** Headers that a response gets before whoever answers writes its own, which then take their place. */
export class SecurityHeaders {
  readonly #plain: readonly (readonly [string, string])[]
  readonly #secure: readonly (readonly [string, string])[]

  private constructor(settings: Settings) {
    this.#plain = (
      [
        ['X-Content-Type-Options', settings.contentTypeOptions],
        ['X-Frame-Options', settings.frameOptions],
        ['Content-Security-Policy', settings.contentSecurityPolicy],
        ['Referrer-Policy', settings.referrerPolicy],
        ['Permissions-Policy', settings.permissionsPolicy],
        ['Cross-Origin-Opener-Policy', settings.crossOriginOpenerPolicy],
      ] as const
    ).flatMap(([name, value]) => (value ? [[name, value] as const] : []))
    const { hsts } = settings
    this.#secure = hsts ? [...this.#plain, ['Strict-Transport-Security', formatHsts(hsts)]] : this.#plain
  }

  /** Null where nothing is to be added, so that requests go the short way. */
  static create(security: Security): SecurityHeaders | null {
    const { profile, ...overrides } = security
    const given = Object.entries(overrides).filter(([, value]) => value !== undefined)
    const headers = new SecurityHeaders({ ...PROFILES[profile], ...Object.fromEntries(given) })
    return headers.#secure.length > 0 ? headers : null
  }

  /** Names and values for what came over this scheme. */
  list(scheme: 'http' | 'https'): readonly (readonly [name: string, value: string])[] {
    return scheme === 'https' ? this.#secure : this.#plain
  }

  /** @param scheme what the client came over: browsers ignore HSTS over http, and it is not sent there. */
  set(response: ServerResponse, scheme: 'http' | 'https'): void {
    for (const [name, value] of this.list(scheme)) response.setHeader(name, value)
  }
}

function formatHsts({
  maxAgeS,
  includeSubDomains,
  preload,
}: Exclude<Settings['hsts'], false | undefined>): string {
  return (
    `max-age=${maxAgeS}` + (includeSubDomains ? '; includeSubDomains' : '') + (preload ? '; preload' : '')
  )
}
