import { z } from 'zod'
import { addressSchema } from './address-schema.ts'

/**
 * What to run, by meaning rather than by path: an orchestrator resolves it for its target
 * (the project's virtual environment here, a path in an image there).
 */
export const programSchema = z.discriminatedUnion('type', [
  /** The app's own Python interpreter. */
  z.object({ type: z.literal('python') }),
  /** A console script of the app's Python environment, such as `gunicorn`. */
  z.object({ type: z.literal('python-script'), name: z.string() }),
  /** This Node, running a module given by URL. */
  z.object({ type: z.literal('node'), module: z.string() }),
  /** A program found on PATH, or by absolute path. */
  z.object({ type: z.literal('command'), path: z.string() }),
])
export type Program = z.infer<typeof programSchema>

/** How to ask a process whether it is well. Times are in milliseconds. */
export const probeSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('http'),
    address: addressSchema,
    path: z.string().startsWith('/'),
    /** The Host header: a name that the app's ALLOWED_HOSTS accepts. */
    host: z.string(),
    /** A status from here on is a failure. */
    failFrom: z.int().default(500),
    intervalMs: z.int().default(200),
    timeoutMs: z.int().default(60_000),
  }),
  z.object({
    type: z.literal('connect'),
    address: addressSchema,
    intervalMs: z.int().default(100),
    timeoutMs: z.int().default(60_000),
  }),
  /** The process sends `{ "type": "ready" }` over Node's IPC channel. */
  z.object({ type: z.literal('ipc'), timeoutMs: z.int().default(60_000) }),
])
export type Probe = z.infer<typeof probeSchema>

export const mountSchema = z.object({
  source: z.string(),
  target: z.string(),
  readOnly: z.boolean().default(true),
})

/** A recipe for one process, complete enough for every orchestrator. */
export const processSpecSchema = z.object({
  id: z.string(),
  program: programSchema,
  args: z.array(z.string()).default([]),
  /** Variables on top of the app's environment. Values are public: secrets go by name, below. */
  env: z.record(z.string(), z.string()).default({}),
  /** Names of secrets, and the variable each arrives in; values are looked up when the process starts. */
  secrets: z.array(z.object({ name: z.string(), env: z.string() })).default([]),
  /** Working directory; relative paths are relative to the app's root. */
  directory: z.string().default('.'),
  user: z.string().optional(),
  listens: z
    .array(
      z.object({
        endpoint: z.string(),
        address: addressSchema,
        by: z.enum(['process', 'descriptor']).default('process'),
      }),
    )
    .default([]),
  /** Ids of endpoints that this process connects to; they are started first. */
  uses: z.array(z.string()).default([]),
  probes: z
    .object({ startup: probeSchema.optional(), ready: probeSchema.optional(), live: probeSchema.optional() })
    .default({}),
  stop: z
    .object({
      signal: z.string().default('SIGTERM'),
      /** How long requests in flight may take to finish. */
      drainMs: z.int().default(30_000),
      /** After this SIGKILL follows. */
      killMs: z.int().default(35_000),
    })
    .prefault({}),
  reload: z
    .discriminatedUnion('type', [
      z.object({
        type: z.literal('signal'),
        signal: z.string(),
        /** The process says `{ "type": "reloaded", "error"? }` over Node's IPC channel when it is done. */
        answer: z.literal('ipc').optional(),
      }),
      z.object({ type: z.literal('command'), program: programSchema, args: z.array(z.string()) }),
      z.object({ type: z.literal('replace') }),
    ])
    .default({ type: 'replace' }),
  /**
   * The process answers `{ "type": "status", "id" }` over Node's IPC channel with `{ "type": "status", "id", "status" }`,
   * where `status` is a `ProcessCondition`.
   */
  status: z.literal('ipc').optional(),
  mounts: z.array(mountSchema).default([]),
  resources: z
    .object({ cpus: z.number().positive().optional(), memoryBytes: z.int().positive().optional() })
    .default({}),
  /** What the process's own output looks like, so that a monitor can read it. */
  logs: z.object({ format: z.enum(['json', 'text']).default('text') }).prefault({}),
})
/** A validated process spec. */
export type ProcessSpec = z.output<typeof processSpecSchema>
/** A process spec as a planner writes it: what has a default may be left out. */
export type ProcessSpecInput = z.input<typeof processSpecSchema>
