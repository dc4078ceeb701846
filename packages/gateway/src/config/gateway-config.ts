import { addressSchema, appInterfaceSchema, requestIdSchema } from '@havn/model'
import { z } from 'zod'
import { gatewayTlsSchema } from './tls-config.ts'

/** The app that a gateway runs; `none` for a gateway that is only an edge. */
export const gatewayAppSchema = z.discriminatedUnion('language', [
  z.object({
    language: z.literal('python'),
    interface: z.enum(['wsgi', 'asgi']),
    /** `module:attribute`; a factory is called when it ends with `()`. */
    target: z.string(),
    /** Working directory, first on sys.path. Absolute. */
    directory: z.string(),
    /** Absolute path of the interpreter. */
    python: z.string(),
    /** Threads for requests in each worker (WSGI). 1 makes `wsgi.multithread` false. */
    threads: z.int().min(1).max(256).default(4),
  }),
  z.object({
    language: z.literal('node'),
    /** Absent: told by what the module exports. */
    interface: appInterfaceSchema.optional(),
    /** File, relative to the directory; `#name` picks an export other than the default. */
    target: z.string(),
    directory: z.string(),
  }),
  z.object({ language: z.literal('none') }),
])
export type GatewayApp = z.output<typeof gatewayAppSchema>

/**
 * A gateway's whole configuration: JSON, handed from the supervisor to the gateway process and its threads.
 * Times are in milliseconds, sizes in bytes. The app's variables are the process's own environment.
 */
export const gatewayConfigSchema = z.object({
  schemaVersion: z.literal(1).default(1),
  listeners: z.array(addressSchema).min(1),
  /** Absent, all listeners speak plain HTTP. */
  tls: gatewayTlsSchema.optional(),
  app: gatewayAppSchema,
  /** JavaScript threads that accept, parse and dispatch. Never more than workers for a Python app. */
  threads: z.int().min(1).max(256).default(1),
  /** Python children; JavaScript apps run in the threads and ignore it, but for tasks: threads that run them. */
  workers: z.int().min(1).max(1024).default(1),
  /**
   * Where a JavaScript app runs: in the gateway's threads, or in a process of its own for each of them, for apps that
   * need `chdir`, signals or native addons, or must not share fate.
   */
  isolation: z.enum(['thread', 'process']).default('thread'),
  /**
   * How requests reach a JavaScript app: `inline`, in the thread that accepted them, or `task`, whole and one at a time
   * in each of `workers` threads with one queue before them all, for synchronous apps that keep a CPU busy.
   */
  dispatch: z.enum(['inline', 'task']).default('inline'),
  /** Limits of each thread that runs tasks, as V8 takes them (`resourceLimits` of node:worker_threads). */
  taskLimits: z
    .object({
      maxOldGenerationSizeMb: z.number().positive().optional(),
      maxYoungGenerationSizeMb: z.number().positive().optional(),
      stackSizeMb: z.number().positive().optional(),
    })
    .prefault({}),
  /** The edge as { module URL, JSON config }: see EdgeModule in plugin-api. */
  edge: z.object({ module: z.string(), config: z.json() }).optional(),
  /** A request that a healthy app answers below 500: a successor serves only once it did. */
  health: z
    .object({
      path: z.string().startsWith('/').default('/'),
      /** Host header: a name that the app accepts. */
      host: z.string().default('localhost'),
    })
    .prefault({}),
  /** Ends Python workers before they grow too old: each gets a healthy successor first, one at a time. */
  recycle: z
    .object({
      /** Requests that a process begins before it is replaced; 0 is no limit. */
      maxRequests: z.int().min(0).default(0),
      /** Each process's own limit is up to this share higher, so that workers do not come due together. */
      jitter: z.number().min(0).max(1).default(0.1),
      /** Resident memory of a process beyond which it is replaced; 0 is no limit. Linux only. */
      maxMemoryBytes: z.int().min(0).default(0),
      /** How often processes are looked at. */
      checkMs: z.int().min(10).default(1_000),
    })
    .prefault({}),
  /** Module URLs that each thread imports before anything else. */
  threadModules: z.array(z.string()).default([]),
  /** Private folder (0700) for worker sockets, spool files and scoreboards; a temporary one otherwise. */
  runDirectory: z.string().optional(),
  /** CIDRs or addresses of peers whose forwarded headers are believed; `unix` for peers on a Unix socket. */
  trustedProxies: z.array(z.string()).default([]),
  /**
   * CIDRs or addresses of peers whose connections begin with a PROXY protocol header; `unix` for peers on a Unix socket.
   * The client that it names takes the peer's place: `trustedProxies` then speaks of that client.
   */
  proxyProtocol: z.array(z.string()).optional(),
  limits: z
    .object({
      maxHeaderBytes: z.int().default(32 * 1024),
      maxHeaders: z.int().default(100),
      maxTargetBytes: z.int().default(16 * 1024),
      /** 413 beyond it. */
      maxBodyBytes: z.int().default(1024 * 1024 * 1024),
      /** Bodies for a sync worker lie in memory up to this, then in a spool file. */
      bodyMemoryBytes: z.int().default(512 * 1024),
      /** What a client sends and takes at least a second, on average over `timeouts.stallMs`. */
      minBytesPerS: z.int().min(0).default(240),
      /** Largest message of a websocket client; 1009 beyond it. */
      maxWebSocketMessageBytes: z
        .int()
        .min(1)
        .default(16 * 1024 * 1024),
      /** Connections, over all threads. */
      maxConnections: z.int().default(10_000),
      /** Requests waiting for a worker, over all threads; 503 with Retry-After beyond. */
      maxQueue: z.int().default(1_000),
    })
    .prefault({}),
  timeouts: z
    .object({
      /** From the first byte to the last header. */
      headersMs: z.int().default(20_000),
      /** Idle keep-alive connections are closed after it. */
      keepAliveMs: z.int().default(65_000),
      /**
       * A client that for so long sends less than `limits.minBytesPerS` of a body gets a 408; one that takes less of
       * what is there for it is disconnected. 0: neither. A response with nothing to send may last for ever.
       */
      stallMs: z.int().min(0).default(60_000),
      /** Longest wait in the queue before 503. */
      queueMs: z.int().default(30_000),
      /** From the worker's first sight of a request to its last byte; 0 is no deadline. */
      requestMs: z.int().default(0),
      /** From that deadline, at which the app is interrupted, until a worker that does not come back is replaced. */
      interruptMs: z.int().default(2_000),
      /** A worker that sends nothing for so long, not even an answer to a PING, is replaced; 0 is never. */
      liveMs: z.int().default(30_000),
      /** From spawn to READY. */
      startMs: z.int().default(60_000),
      drainMs: z.int().default(30_000),
      /**
       * A JavaScript app that blocks its event loop for longer is ended and started again: its process, or the whole
       * gateway process where it runs in a thread. 0, the default, only logs it: others serve on meanwhile, and to
       * end it would break off what its loop may still answer.
       */
      blockedMs: z.int().min(0).default(0),
    })
    .prefault({}),
  /** Limits of single routes, in place of those in `timeouts`: the longest path that a request is under wins. */
  routes: z
    .array(
      z.object({
        path: z.string().startsWith('/'),
        /** All, when left out. */
        methods: z.array(z.string()).optional(),
        requestMs: z.int().min(0).optional(),
        queueMs: z.int().min(0).optional(),
      }),
    )
    .default([]),
  requestId: requestIdSchema.prefault({}),
  log: z
    .object({
      level: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
      format: z.enum(['text', 'json']).default('json'),
      /**
       * A line for each request: true for one in `format`, `combined` for one in the format of Apache and nginx, whatever
       * `format` says of all else.
       */
      access: z.union([z.boolean(), z.literal('combined')]).default(true),
      /** Such lines have the queries of requests and referring pages, which often hold secrets. */
      accessQuery: z.boolean().default(false),
      /** Colours in text format. */
      color: z.boolean().default(false),
    })
    .prefault({}),
})
/** A validated configuration. */
export type GatewayConfig = z.output<typeof gatewayConfigSchema>
/** A configuration as written: what has a default may be left out. */
export type GatewayOptions = z.input<typeof gatewayConfigSchema>
