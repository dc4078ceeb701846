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
})
/** A validated route. */
export type Route = z.output<typeof routeSchema>
