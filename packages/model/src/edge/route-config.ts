import { z } from 'zod'
import { tokenSchema } from './token-schema.ts'

/** `shop.test`, or `*.shop.test` for every name below it. Without a port: a route serves all doors. */
const hostSchema = z.string().regex(/^(?:\*\.)?[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$|^\[[0-9a-f:.]+\]$/, {
  error: 'must be a host name in lower case, such as shop.test or *.shop.test, without a port',
})

/** A header's value, or true for any. Names are compared without case. */
const headersSchema = z.record(
  z.string().regex(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/),
  z.union([z.string(), z.literal(true)]),
)

/** Up to a day, in milliseconds. */
export const durationSchema = z.int().min(0).max(86_400_000)

/** Limits of a route, in the place of those of all requests: higher ones as well as lower. */
export const routeLimitsSchema = z.strictObject({
  /** Largest body of a request, in the place of the server's `limits.maxBodyBytes`; 413 beyond it. */
  maxBodyBytes: z
    .int()
    .min(0)
    .max(2 ** 40)
    .optional(),
  /**
   * Longest path with its query, as it came, in the place of the server's 16 KiB; 414 beyond it. The whole head has its own
   * limit, `limits.maxHeaderBytes`.
   */
  maxTargetBytes: z.int().min(1).max(1_048_576).optional(),
  /** Longest time of a request, in the place of the edge's own `limits.totalMs`; 0 is no limit. */
  totalMs: durationSchema.optional(),
})
/** Validated limits of a route. */
export type RouteLimits = z.output<typeof routeLimitsSchema>

/** Which requests a route is for; what is left out matches all. */
export const routeMatchSchema = z.strictObject({
  hosts: z.array(hostSchema).min(1).optional(),
  /** What the client came over, seen through trusted proxies. */
  scheme: z.enum(['http', 'https']).optional(),
  /** This path and all below it: `/api` is for `/api` and `/api/users`, not for `/apis`. `/api/` leaves `/api` out. */
  path: z.string().startsWith('/').default('/'),
  /** Only this very path. */
  exact: z.boolean().default(false),
  methods: z
    .array(z.string().regex(/^[A-Z-]+$/))
    .min(1)
    .optional(),
  headers: headersSchema.optional(),
})
export type RouteMatch = z.output<typeof routeMatchSchema>

/** Where a route leads. */
export const routeTargetSchema = z.discriminatedUnion('type', [
  /** The app in whose gateway the edge runs. */
  z.strictObject({ type: z.literal('app') }),
  z.strictObject({ type: z.literal('upstream'), upstream: z.string() }),
  /** Several upstreams, such as two releases of one app. */
  z.strictObject({
    type: z.literal('split'),
    parts: z
      .array(
        z.strictObject({
          upstream: z.string(),
          /** Beside the weights of the others. 0: clients that are there stay, nobody new comes. */
          weight: z.int().min(0).max(1_000).default(1),
        }),
      )
      .min(1)
      .max(16),
    /** Keeps each client where it began; absent, every request is led by itself. */
    cookie: tokenSchema.optional(),
  }),
  z.strictObject({
    type: z.literal('redirect'),
    /** An absolute URL or path; `{scheme}`, `{host}` (without its port), `{path}` and `{query}` (with its `?`) stand for the request's own. */
    location: z.string().min(1),
    status: z.literal([301, 302, 303, 307, 308]).default(308),
  }),
  z.strictObject({
    type: z.literal('respond'),
    status: z.int().min(200).max(599),
    body: z.string().default(''),
    contentType: z.string().default('text/plain; charset=utf-8'),
  }),
])
export type RouteTarget = z.output<typeof routeTargetSchema>

/** One rule of the edge: these requests go there. */
export const routeSchema = z.strictObject({
  /** Its name in logs and errors; its place in the list otherwise. */
  id: z.string().min(1).optional(),
  match: routeMatchSchema.prefault({}),
  /** Replaces `match.path` at the beginning of the path that an upstream sees; `/` strips it. */
  rewritePrefix: z.string().startsWith('/').optional(),
  to: routeTargetSchema,
  /** What differs from the limits of all requests. WebSocket handshakes have no total time. */
  limits: routeLimitsSchema.optional(),
})
/** A validated route. */
export type Route = z.output<typeof routeSchema>
