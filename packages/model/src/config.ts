import { z } from 'zod'
import { appInterfaceSchema } from './app-facts.ts'
import { edgeConfigSchema } from './edge/edge-config.ts'
import { pluginRefSchema } from './plugin-ref.ts'
import { requestIdSchema } from './request-id.ts'
import { checksSchema } from './checks-config.ts'
import { tlsSchema } from './tls-config.ts'

/** A plugin by short name (`gunicorn`), by id (`server.gunicorn`), or with its own configuration. */
const pluginChoiceSchema = z.union([z.string().min(1), pluginRefSchema])

const durationMs = z.int().min(0)

/** What a user may write in `platform.config.ts`, `.toml` or `.json`; every key is optional. */
export const platformConfigSchema = z.strictObject({
  $schema: z.string().optional(),
  /** Name of the deployment; the folder's name otherwise. */
  name: z.string().optional(),
  app: z
    .strictObject({
      /** Source tree, relative to the config file. */
      directory: z.string().optional(),
      /** `module:attribute` or a file: when the detector's choice is not yours. */
      entry: z.string().optional(),
      interface: appInterfaceSchema.optional(),
      /** Detector to use: `django`, `python`, `node`. */
      framework: z.string().optional(),
      /** Python interpreter whose environment holds the app's requirements. Nothing is installed into it. */
      python: z.string().optional(),
      /** Variables for the app. Not for secrets. */
      env: z.record(z.string(), z.string()).optional(),
      /** A request that a healthy app answers below 500. */
      healthPath: z.string().startsWith('/').optional(),
      /** False when the app must not run on several threads. */
      threadSafe: z.boolean().optional(),
    })
    .optional(),
  /** What runs the app: `gateway` (default), `gunicorn`, `uwsgi`, `command`, or a plugin of yours. */
  server: pluginChoiceSchema.optional(),
  /** What goes in front of it: `edge` (default), `nginx`, or a plugin of yours. */
  proxy: pluginChoiceSchema.optional(),
  orchestrator: pluginChoiceSchema.optional(),
  monitors: z.array(pluginChoiceSchema).optional(),
  /** Packages that bring more plugins. */
  plugins: z.array(z.string()).optional(),
  /** Addresses of the public door: `127.0.0.1:8000`, `:8000`, `unix:/run/app.sock`. */
  bind: z.union([z.string(), z.array(z.string()).min(1)]).optional(),
  /** Absent, the door speaks plain HTTP. */
  tls: tlsSchema.optional(),
  workers: z.union([z.int().positive(), z.literal('auto')]).optional(),
  threads: z.union([z.int().positive(), z.literal('auto')]).optional(),
  /** Python threads in each worker. */
  workerThreads: z.int().positive().optional(),
  /** Replaces Python workers before they grow too old; a healthy successor serves first. */
  recycle: z
    .strictObject({
      /** Requests that a worker serves. */
      maxRequests: z.int().positive().optional(),
      /** Up to this share more, so that workers do not come due together: 0.1 is a tenth. */
      jitter: z.number().min(0).max(1).optional(),
      /** Resident memory of a worker; also what `workers = "auto"` expects each to need. */
      maxMemoryBytes: z.int().positive().optional(),
    })
    .optional(),
  /** Where the gateway runs a JavaScript app: in its own threads (default), or in a process for each of them. */
  isolation: z.enum(['thread', 'process']).optional(),
  /** How requests reach a JavaScript app: where they were accepted (default), or one a task in threads with one queue. */
  dispatch: z.enum(['inline', 'task']).optional(),
  /** Limits of each thread that runs tasks, as V8 takes them. */
  taskLimits: z
    .strictObject({
      maxOldGenerationSizeMb: z.number().positive().optional(),
      maxYoungGenerationSizeMb: z.number().positive().optional(),
      stackSizeMb: z.number().positive().optional(),
    })
    .optional(),
  /** Routes, upstreams and all else that the proxy is to do, beside what follows from the app. */
  edge: edgeConfigSchema.optional(),
  /** The deploy check: which rules, how strictly, and what is waived. */
  checks: checksSchema.optional(),
  /** More folders to serve, beside those that the framework names. */
  staticFiles: z
    .array(
      z.strictObject({
        url: z.string(),
        directory: z.string(),
        kind: z.enum(['static', 'media']).optional(),
      }),
    )
    .optional(),
  steps: z
    .strictObject({
      /** `false` leaves the database alone. */
      migrate: z.boolean().optional(),
      collectstatic: z.boolean().optional(),
    })
    .optional(),
  /** Peers whose forwarded headers are believed, as CIDRs or addresses. */
  trustedProxies: z.array(z.string()).optional(),
  /** Peers whose connections begin with a PROXY protocol header, as CIDRs or addresses: load balancers of layer 4. */
  proxyProtocol: z.array(z.string()).optional(),
  limits: z
    .strictObject({
      maxBodyBytes: z.int().positive().optional(),
      maxHeaderBytes: z.int().positive().optional(),
      maxConnections: z.int().positive().optional(),
      /** Largest message of a websocket client. */
      maxWebSocketMessageBytes: z.int().positive().optional(),
      /** What a client sends and takes at least a second, on average over `timeouts.stallMs`. */
      minBytesPerS: z.int().min(0).optional(),
      maxQueue: z.int().positive().optional(),
    })
    .optional(),
  timeouts: z
    .strictObject({
      /** At it the app is interrupted; 0 is no deadline. */
      requestMs: durationMs.optional(),
      queueMs: durationMs.optional(),
      /** A Python worker that does not come back within it from such an interrupt is replaced. */
      interruptMs: durationMs.optional(),
      /** A Python worker that is silent for so long, and does not answer when asked, is replaced; 0 is never. */
      liveMs: durationMs.optional(),
      drainMs: durationMs.optional(),
      keepAliveMs: durationMs.optional(),
      /** How long a client may be slower than `limits.minBytesPerS`; 0 is no limit. */
      stallMs: durationMs.optional(),
      /** A JavaScript app that blocks its event loop for longer is started again. */
      blockedMs: durationMs.optional(),
    })
    .optional(),
  /** Limits of single routes, in place of those in `timeouts`: the longest path that a request is under wins. */
  routes: z
    .array(
      z.strictObject({
        path: z.string().startsWith('/'),
        /** All, when left out. */
        methods: z.array(z.string()).optional(),
        requestMs: durationMs.optional(),
        queueMs: durationMs.optional(),
      }),
    )
    .optional(),
  /** The id by which logs of all parties name a request. */
  requestId: requestIdSchema.partial().optional(),
  log: z
    .strictObject({
      level: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).optional(),
      format: z.enum(['auto', 'text', 'json']).optional(),
      /** False: no line a request. `combined`: a line as Apache and nginx write it, whatever `format` says. */
      access: z.union([z.boolean(), z.literal('combined')]).optional(),
      /** Lines have the queries of requests and referring pages, which often hold secrets. */
      accessQuery: z.boolean().optional(),
    })
    .optional(),
})
export type PlatformConfig = z.infer<typeof platformConfigSchema>

/** A config as written: what has a default may be left out. */
export type PlatformOptions = z.input<typeof platformConfigSchema>

/** Types a config file; returns what it was given. */
export function defineConfig(config: PlatformOptions): PlatformOptions {
  return config
}
