import { z } from 'zod'
import type { Address } from '../address.ts'
import { addressSchema } from '../address-schema.ts'
import { tokenSchema } from './token-schema.ts'

/** Where a server listens: an address, or an `http://` or `https://` URL without a path. Only the last means TLS. */
const serverAddressSchema = z.union([
  addressSchema,
  z.string().refine((text) => readServerUrl(text) !== null, {
    error: 'must be a URL such as https://10.0.0.1:8443, without a path',
  }),
])

/** One server of a group. */
export const upstreamServerSchema = z.strictObject({
  address: serverAddressSchema,
  /** Its part of the requests, beside the weights of the others. */
  weight: z.int().min(1).max(1_000).default(1),
})

/** A server of a group, however it was written. */
export interface UpstreamServerConfig {
  address: Address
  /** It speaks TLS. */
  isTls: boolean
  weight: number
}

/** Which server of a group a request goes to. */
export const balanceSchema = z.discriminatedUnion('type', [
  /** One after another, by weight. */
  z.strictObject({ type: z.literal('round-robin') }),
  /** The one that has the fewest requests and tunnels, by weight. */
  z.strictObject({ type: z.literal('least-connections') }),
  /** Always the same one for the same key; a server that comes or goes moves only its own part of the keys. */
  z.strictObject({
    type: z.literal('hash'),
    /** A request without the header or cookie is told by its client's address. */
    key: z
      .union([
        z.enum(['client', 'path']),
        z.strictObject({ header: tokenSchema }),
        z.strictObject({ cookie: tokenSchema }),
      ])
      .default('client'),
  }),
  /** The one that the client's cookie names; who has none gets one, for the server that is the least busy. */
  z.strictObject({ type: z.literal('sticky'), cookie: tokenSchema.default('havn_server') }),
])
/** A validated way of balancing. */
export type Balance = z.output<typeof balanceSchema>

/**
 * When requests are sent again, to another server. Never one of which a server may have seen a byte, save where `holdMs`
 * has idempotent ones without a body wait out a restart.
 */
export const retrySchema = z.strictObject({
  /** Servers that a request is sent to at most. */
  tries: z.int().min(1).max(10).default(3),
  /** Retries for each request, on average: more would add to the load of servers that are already short of breath. */
  share: z.number().min(0).max(1).default(0.2),
  /** Retries a second that are always allowed. */
  perSecond: z.int().min(0).max(10_000).default(10),
})

/** When a server is left out for a while, by what requests find. The only server, and the last one, never is. */
export const circuitSchema = z.strictObject({
  /** Failures in a row: no connection, no answer in time, or none that can be read. */
  failures: z.int().min(1).max(1_000).default(3),
  /** Answers that are failures too, such as 502 or 503. */
  statuses: z.array(z.int().min(500).max(599)).default([]),
  /** After it one request tries again; each time that fails, it is twice as long. */
  openMs: z.int().min(1).default(1_000),
  maxOpenMs: z.int().min(1).default(30_000),
})
/** Validated settings of a circuit breaker. */
export type CircuitConfig = z.output<typeof circuitSchema>

/** What each server of an upstream is asked from time to time, by each thread. */
export const healthSchema = z.strictObject({
  path: z.string().regex(/^\/[\x21-\x7e]*$/, { error: 'must be a path, such as /health/' }),
  /** The Host header: a name that the app answers to, such as one of Django's ALLOWED_HOSTS. */
  host: z
    .string()
    .regex(/^[\w.:[\]-]+$/)
    .default('localhost'),
  intervalMs: z.int().min(100).max(3_600_000).default(5_000),
  /** An answer that takes longer is none. */
  timeoutMs: z.int().min(1).max(60_000).default(2_000),
  /** Good answers in a row after which a server that was left out gets requests again. */
  healthyAfter: z.int().min(1).max(100).default(2),
  /** Bad answers in a row after which a server gets no more requests. */
  unhealthyAfter: z.int().min(1).max(100).default(3),
  /** Absent, any status from 200 to 399. */
  expectStatus: z.int().min(200).max(599).optional(),
})
/** Validated settings of health checks. */
export type HealthConfig = z.output<typeof healthSchema>

const fileSchema = z.string().min(1)

/** How servers of `https://` addresses are spoken to. */
export const upstreamTlsSchema = z
  .strictObject({
    /** Authorities that vouch for the servers, PEM; absent, those that this machine trusts. */
    ca: fileSchema.optional(),
    /** The name that is asked for (SNI), and that a certificate has to be for; absent, the address's own host. */
    serverName: z
      .string()
      .regex(/^[\w.-]{1,253}$/, { error: 'must be a host name' })
      .optional(),
    /** What the edge shows servers that ask for a certificate: PEM, followed by those that lead to its authority's. */
    cert: fileSchema.optional(),
    /** The certificate's key, PEM, without a passphrase. */
    key: fileSchema.optional(),
    minVersion: z.enum(['TLSv1.2', 'TLSv1.3']).default('TLSv1.2'),
    /** True takes any certificate of anybody: whoever is on the way can read and change all. */
    insecure: z.boolean().default(false),
  })
  .superRefine(({ cert, key, ca, insecure }, context) => {
    if ((cert === undefined) !== (key === undefined))
      context.addIssue({
        code: 'custom',
        path: [cert === undefined ? 'cert' : 'key'],
        message: 'is missing: a certificate and its key go together',
      })
    if (insecure && ca !== undefined)
      context.addIssue({ code: 'custom', path: ['insecure'], message: 'makes no sense beside ca' })
  })
/** Validated settings of TLS to an upstream. */
export type UpstreamTls = z.output<typeof upstreamTlsSchema>

/** HTTP servers that the edge passes requests on to: one `address`, or a group of `servers`. */
export const upstreamSchema = z
  .strictObject({
    /** The only server; for several, see {@link servers}. */
    address: serverAddressSchema.optional(),
    servers: z.array(upstreamServerSchema).min(1).max(64).optional(),
    /** For servers of `https://` addresses, whose certificates are checked without it, too. */
    tls: upstreamTlsSchema.optional(),
    /**
     * What the servers speak. `http/2` is agreed on by TLS with those of `https://` addresses, and known of all others
     * (h2c); `auto` lets the former choose, and is `http/1.1` for the latter. Calls of gRPC need HTTP/2.
     */
    protocol: z.enum(['http/1.1', 'http/2', 'auto']).default('http/1.1'),
    /**
     * How often an HTTP/2 connection with open requests is asked whether it lives; absent, only where one was not
     * answered in time. Many servers of gRPC close those that ask more often than every five minutes.
     */
    pingMs: z.int().min(1_000).max(3_600_000).optional(),
    balance: balanceSchema.default({ type: 'round-robin' }),
    retry: retrySchema.prefault({}),
    circuit: circuitSchema.prefault({}),
    /** Absent, only requests show how a server does. */
    health: healthSchema.optional(),
    /** How long the weight of a server that came, or came back, takes to grow to what was written. */
    slowStartMs: z.int().min(0).max(3_600_000).default(0),
    /** How long a request waits while no server can be had, as during a restart; 503 beyond it. 0: not at all. */
    holdMs: z.int().min(0).max(600_000).default(0),
    /** Requests that wait so at a time, in each thread; 503 for one more. */
    holdLimit: z.int().min(1).max(100_000).default(1_000),
    /** From the first SYN to an open connection; 504 beyond it. */
    connectTimeoutMs: z.int().min(1).default(5_000),
    /** Longest silence before the response begins; 504 beyond it. */
    responseTimeoutMs: z.int().min(1).default(60_000),
    /** Longest silence within a response; the connection is cut beyond it. */
    idleTimeoutMs: z.int().min(1).default(300_000),
    /** Longest silence of an upgraded connection. */
    tunnelIdleTimeoutMs: z.int().min(1).default(3_600_000),
    /** Unused connections are closed after it. Keep it below the upstream's own limit. */
    keepAliveMs: z.int().min(1).default(4_000),
    /** Connections to each server, for each thread; requests wait for a free one beyond it, or for a place on one. */
    maxConnections: z.int().min(1).default(256),
    /** For chunked bodies; the listener measures the others. 413 beyond it. */
    maxBodyBytes: z
      .int()
      .min(0)
      .default(1024 * 1024 * 1024),
  })
  .superRefine(({ address, servers, tls, protocol, pingMs }, context) => {
    if ((address === undefined) === (servers === undefined))
      context.addIssue({
        code: 'custom',
        message: 'needs either address, for one server, or servers, for a group',
      })
    if (tls !== undefined && !serversOf({ address, servers }).some(({ isTls }) => isTls))
      context.addIssue({
        code: 'custom',
        path: ['tls'],
        message: 'is for servers of https:// addresses, of which there is none',
      })
    if (protocol === 'auto' && !serversOf({ address, servers }).some(({ isTls }) => isTls))
      context.addIssue({
        code: 'custom',
        path: ['protocol'],
        message: 'can be auto for servers of https:// addresses alone, of which there is none',
      })
    if (pingMs !== undefined && protocol === 'http/1.1')
      context.addIssue({
        code: 'custom',
        path: ['pingMs'],
        message: 'is for HTTP/2, which protocol does not name',
      })
    const known = new Set<string>()
    servers?.forEach((server, at) => {
      const key = JSON.stringify(Object.entries(toServer(server).address).sort())
      if (known.has(key))
        context.addIssue({
          code: 'custom',
          path: ['servers', at, 'address'],
          message: 'is in the group twice; give the server a higher weight instead',
        })
      known.add(key)
    })
  })
/** A validated upstream. */
export type Upstream = z.output<typeof upstreamSchema>

/** The servers of an upstream, whichever way they are written. */
export function serversOf({
  address,
  servers,
}: Pick<Upstream, 'address' | 'servers'>): readonly UpstreamServerConfig[] {
  if (servers !== undefined) return servers.map(toServer)
  return address === undefined ? [] : [toServer({ address, weight: 1 })]
}

function toServer({ address, weight }: z.output<typeof upstreamServerSchema>): UpstreamServerConfig {
  if (typeof address !== 'string') return { address, isTls: false, weight }
  return { ...readServerUrl(address)!, weight }
}

/** Null for what is no `http://` or `https://` URL of a server alone. */
function readServerUrl(text: string): Pick<UpstreamServerConfig, 'address' | 'isTls'> | null {
  const [, scheme, ip6, name, port] = SERVER_URL.exec(text) ?? []
  if (scheme === undefined || !URL.canParse(text)) return null
  const isTls = scheme === 'https'
  const number = port === undefined ? (isTls ? 443 : 80) : Number(port)
  if (number < 1 || number > 65_535) return null
  return { address: { type: 'tcp', host: ip6 ?? name!, port: number }, isTls }
}

const SERVER_URL = /^(https?):\/\/(?:\[([0-9a-fA-F:.]+)\]|([\w.-]+))(?::(\d{1,5}))?\/?$/
