import { formatAddress } from '@havn/model/address'
import type { AppFacts } from '@havn/model'
import type { ProcessPlan, ServerPlanInput, ServerSettings } from '@havn/plugin-api'
import { gunicornConfigFile } from './config-file.ts'
import type { GunicornConfig } from './config.ts'

/** After its drain is over a process has this long before SIGKILL: gunicorn's own deadline comes first. */
const KILL_GRACE_MS = 5_000
const DEFAULT_DRAIN_MS = 30_000
const DEFAULT_THREADS = 4
/** Idle connections belong to the edge: it closes them first, and never writes to one that is closing. */
const KEEP_ALIVE_S = 75
/** The edge has checked the head already, and adds headers of its own. */
const HEADER_FIELDS = 200
const DEFAULT_HEADER_BYTES = 64 * 1024
const CONFIG_FILE = 'gunicorn.conf.py'

/** gunicorn's names for the levels of the log. */
const logLevels: Readonly<Record<string, string>> = {
  fatal: 'critical',
  error: 'error',
  warn: 'warning',
  info: 'info',
  debug: 'debug',
  trace: 'debug',
  silent: 'critical',
}

/** One gunicorn master, which keeps its workers itself. */
export function planGunicorn(config: GunicornConfig, input: ServerPlanInput): ProcessPlan {
  const { app, endpoints, settings, target } = input
  const drainMs = settings.timeouts.drainMs ?? DEFAULT_DRAIN_MS
  const [first] = endpoints
  const args = [
    ...['--config', `${target.runDirectory}/${CONFIG_FILE}`],
    ...endpoints.flatMap(({ address }) => ['--bind', formatAddress(address)]),
    ...workerArgs(config, app, settings),
    ...timeoutArgs(settings, drainMs),
    ...headArgs(settings),
    ...['--worker-tmp-dir', target.runDirectory],
    ...['--log-level', logLevels[settings.log.level] ?? 'info'],
    app.entry.target,
  ]

  return {
    files: [{ path: CONFIG_FILE, content: gunicornConfigFile(config.configFile) }],
    workloads: [
      {
        id: 'app',
        endpoints: [...endpoints],
        main: {
          id: 'app',
          program: { type: 'python-script', name: 'gunicorn' },
          args,
          listens: endpoints.map(({ id, address }) => ({ endpoint: id, address })),
          probes: first && {
            startup: { type: 'http', address: first.address, path: app.health.path, host: app.health.host },
          },
          stop: { drainMs, killMs: drainMs + KILL_GRACE_MS },
          reload: { type: 'signal', signal: 'SIGHUP' },
        },
      },
    ],
  }
}

function workerArgs(config: GunicornConfig, app: AppFacts, settings: ServerSettings): string[] {
  const threads = app.threadSafe ? (settings.workerThreads ?? DEFAULT_THREADS) : 1
  const workerClass = config.workerClass ?? defaultWorkerClass(app, threads)
  const { recycle } = settings
  const maxRequests = config.maxRequests || (recycle?.maxRequests ?? 0)
  const jitter = Math.ceil(maxRequests * (recycle?.jitter ?? 0.1))
  return [
    ...['--workers', String(settings.workers), '--worker-class', workerClass],
    ...(workerClass === 'gthread' ? ['--threads', String(threads)] : []),
    ...(config.preload ? ['--preload'] : []),
    ...(maxRequests > 0
      ? ['--max-requests', String(maxRequests), '--max-requests-jitter', String(jitter)]
      : []),
  ]
}

function defaultWorkerClass(app: AppFacts, threads: number): string {
  if (app.entry.interface === 'asgi') return 'asgi'
  return threads > 1 ? 'gthread' : 'sync'
}

/** gunicorn counts in seconds; a worker that is silent for longer than `--timeout` is killed, 0 is never. */
function timeoutArgs(settings: ServerSettings, drainMs: number): string[] {
  const { requestMs } = settings.timeouts
  return [
    ...(requestMs === undefined ? [] : ['--timeout', String(toSeconds(requestMs))]),
    ...['--graceful-timeout', String(toSeconds(drainMs))],
    ...['--keep-alive', String(KEEP_ALIVE_S)],
  ]
}

/** The peer is the edge, on a private socket or on loopback: its forwarded headers are believed, no one else's. */
function headArgs(settings: ServerSettings): string[] {
  const headerBytes = settings.limits.maxHeaderBytes ?? DEFAULT_HEADER_BYTES
  return [
    ...['--forwarded-allow-ips', '127.0.0.1,::1'],
    ...['--limit-request-line', '0'],
    ...['--limit-request-fields', String(HEADER_FIELDS)],
    ...['--limit-request-field_size', String(headerBytes)],
  ]
}

function toSeconds(ms: number): number {
  return Math.ceil(ms / 1000)
}
