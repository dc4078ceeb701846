import type {
  AcmeConfig,
  AppFacts,
  EdgeOptions,
  Endpoint,
  GeneratedFileInput,
  WorkloadInput,
} from '@havn/model'
import type { Address } from '@havn/model/address'

/** Where the planned processes will run. */
export interface Target {
  /** Id of the orchestrator: `orchestrator.local`. */
  orchestrator: string
  /** A private folder (0700) on the target for sockets, spool files and generated files. */
  runDirectory: string
  /** How a process on the target calls the app's interpreter: an absolute path, or a name on its PATH. */
  interpreter: string
  /** CPUs that the deployment may use: the cgroup's, not the host's. */
  cpus: number
  /** True where processes are started as root, and a program that takes another user by itself loses the run directory. */
  runsAsRoot?: boolean
  /** How the target calls the programs that a plugin requires: absolute paths by name. Absent, the name does. */
  programs?: Readonly<Record<string, string>>
}

/** The least severe line that is logged, in pino's names. */
export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent'

/** TLS at the public door. Whoever is that door speaks it on the endpoints whose protocol is `https`. */
export interface TlsSettings {
  /** Absolute paths of PEM files; chosen by the name that a client asks for, the first for all others. */
  certificates: readonly { cert: string; key: string; names?: readonly string[] }[]
  /** In place of them: a certificate that whoever is the door orders, and renews. Paths are absolute. */
  acme?: AcmeConfig & { storage: string }
  /** TLS 1.2 where it is absent. */
  minVersion?: 'TLSv1.2' | 'TLSv1.3'
  /** Addresses that speak plain HTTP, and send everybody to https but for http-01 challenges (RFC 8555). */
  redirectFrom: readonly Address[]
  /** The port that clients are sent to; that of the first endpoint where it is absent. */
  publicPort?: number
}

/** The deployment's settings that every server understands. Absent: the server's own default. */
export interface ServerSettings {
  workers: number
  /** Threads of the gateway; other servers ignore it. */
  threads?: number
  /** Threads in each Python worker. */
  workerThreads?: number
  /** Where the gateway runs a JavaScript app; other servers ignore it. */
  isolation?: 'thread' | 'process'
  /** How requests reach a JavaScript app in the gateway; other servers ignore it. */
  dispatch?: 'inline' | 'task'
  /** Limits of each thread that runs tasks (`resourceLimits` of node:worker_threads). */
  taskLimits?: { maxOldGenerationSizeMb?: number; maxYoungGenerationSizeMb?: number; stackSizeMb?: number }
  /** When a worker is replaced before it grows too old, as far as the server can. */
  recycle?: {
    /** Requests that a worker serves. */
    maxRequests?: number
    /** Up to this share more, so that workers do not come due together. */
    jitter?: number
    /** Resident memory of a worker. */
    maxMemoryBytes?: number
  }
  trustedProxies: readonly string[]
  /** Peers whose connections begin with a PROXY protocol header; for whoever is the public door. */
  proxyProtocol?: readonly string[]
  /** Absent, the public door speaks plain HTTP. A server behind a proxy is never told to. */
  tls?: TlsSettings
  limits: {
    maxBodyBytes?: number
    maxHeaderBytes?: number
    maxConnections?: number
    maxQueue?: number
    maxWebSocketMessageBytes?: number
    minBytesPerS?: number
  }
  timeouts: {
    requestMs?: number
    queueMs?: number
    drainMs?: number
    keepAliveMs?: number
    stallMs?: number
    /** Longest that a JavaScript app may block its event loop. */
    blockedMs?: number
    /** After a request's deadline, until a worker that does not come back is replaced. */
    interruptMs?: number
    /** Longest silence of a worker. */
    liveMs?: number
  }
  /** Limits of single routes, in place of those in `timeouts`; servers that have none such ignore it. */
  routes?: readonly { path: string; methods?: string[]; requestMs?: number; queueMs?: number }[]
  /** What whoever is the public door does beside what follows from the app: routes, upstreams, headers. */
  edge?: EdgeOptions
  /** Where trusted proxies name a request's id, and whether responses name it. */
  requestId?: { header?: string; return?: boolean }
  log: {
    level: LogLevel
    format: 'text' | 'json'
    /** A line for each request; `combined` is the format of Apache and nginx. */
    access: boolean | 'combined'
    /** Lines have queries. */
    accessQuery?: boolean
    /** Colours in text format, for a person who watches. */
    color?: boolean
  }
  /** Module URLs that each thread of a JavaScript server imports first (OpenTelemetry's SDK). */
  threadModules: readonly string[]
}

export interface ServerPlanInput {
  app: AppFacts
  target: Target
  /** Where to listen: the public door, or an internal endpoint behind a proxy. */
  endpoints: readonly Endpoint[]
  settings: ServerSettings
}

export interface ProcessPlan {
  workloads: WorkloadInput[]
  files: GeneratedFileInput[]
}

/** Runs an app and speaks HTTP on an address. `plan` is pure. */
export interface ServerContract {
  /**
   * `public`: serves static files, applies limits and writes the access log by itself. `upstream`: a proxy goes
   * in front, and the server listens on a private socket. A `public` server is put behind a proxy too, where the
   * deployment has one that is not embedded: its endpoints are not public then, and the proxy does those things.
   */
  placement: 'public' | 'upstream'
  /** What it listens on behind a proxy: a Unix socket (the default), or a port of loopback where it knows no other. */
  endpoint?: 'unix' | 'tcp'
  /** Interfaces that it can run; anything else is an error before a process starts. */
  interfaces: readonly AppFacts['entry']['interface'][]
  /** Requirement specifiers (PEP 508) that it needs in the app's Python environment. */
  pythonRequirements: readonly string[]
  plan(input: ServerPlanInput): ProcessPlan
}
