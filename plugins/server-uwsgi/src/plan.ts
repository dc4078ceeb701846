import { formatAddress } from '@havn/model/address'
import type { AppFacts } from '@havn/model'
import type { Address } from '@havn/model/address'
import type { ProcessPlan, ServerPlanInput, ServerSettings } from '@havn/plugin-api'
import type { UwsgiConfig } from './config.ts'

/** After its drain is over a process has this long before SIGKILL: uWSGI's own deadline comes first. */
const KILL_GRACE_MS = 5_000
const DEFAULT_DRAIN_MS = 30_000
/** The most that uWSGI can hold of a request's head (a 16-bit size); its default of 4 KiB refuses long cookies. */
const HEAD_BYTES = 65_535
/** Bodies are read whole before the app runs, beyond this into a file: an app that ignores one can't jam the socket. */
const BODY_MEMORY_BYTES = 64 * 1024
/** The lowest limit of the kernels in use: uWSGI refuses to start with more than net.core.somaxconn. */
const BACKLOG = 128

/** One uWSGI master, which keeps its workers itself. It speaks HTTP, a connection a request. */
export function planUwsgi(config: UwsgiConfig, { app, endpoints, settings }: ServerPlanInput): ProcessPlan {
  const drainMs = settings.timeouts.drainMs ?? DEFAULT_DRAIN_MS
  const [first] = endpoints
  const args = [
    ...['--strict', '--master', '--need-app', '--single-interpreter', '--enable-threads'],
    ...endpoints.flatMap(({ address }) => ['--http-socket', toSocket(address)]),
    ...['--chmod-socket=600', '--vacuum', '--listen', String(BACKLOG)],
    ...['--module', app.entry.target],
    ...workerArgs(config, app, settings),
    ...['--buffer-size', String(HEAD_BYTES), '--post-buffering', String(BODY_MEMORY_BYTES)],
    ...['--add-header', 'Connection: close'],
    ...stopArgs(drainMs),
    ...['--disable-logging'],
    ...config.args,
  ]

  return {
    files: [],
    workloads: [
      {
        id: 'app',
        endpoints: [...endpoints],
        main: {
          id: 'app',
          program: { type: 'python-script', name: 'uwsgi' },
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

function toSocket(address: Address): string {
  return address.type === 'unix' ? address.path : formatAddress(address)
}

/**
 * One thread a worker, unless more are asked for: uWSGI has one harakiri clock a worker, which the end of any of its
 * requests stops, and a worker with threads now and then does not come to its end after SIGTERM.
 */
function workerArgs(config: UwsgiConfig, app: AppFacts, settings: ServerSettings): string[] {
  const { requestMs } = settings.timeouts
  const threads = app.threadSafe ? (settings.workerThreads ?? 1) : 1
  return [
    ...['--workers', String(settings.workers)],
    ...(threads > 1 ? ['--threads', String(threads)] : []),
    ...(requestMs ? ['--harakiri', String(toSeconds(requestMs))] : []),
    ...recycleArgs(config, settings),
    ...(config.lazyApps ? ['--lazy-apps'] : []),
  ]
}

/** uWSGI counts memory in MiB. */
function recycleArgs(config: UwsgiConfig, { recycle = {} }: ServerSettings): string[] {
  const maxRequests = config.maxRequests || (recycle.maxRequests ?? 0)
  const { maxMemoryBytes = 0 } = recycle
  return [
    ...(maxRequests > 0 ? ['--max-requests', String(maxRequests)] : []),
    ...(maxMemoryBytes > 0 ? ['--reload-on-rss', String(Math.ceil(maxMemoryBytes / 1024 / 1024))] : []),
  ]
}

/**
 * SIGTERM finishes what is in flight. `--die-on-term`, the usual advice, drops it; without either, SIGTERM
 * reloads.
 */
function stopArgs(drainMs: number): string[] {
  return [
    ...['--hook-master-start', 'unix_signal:15 gracefully_kill_them_all'],
    ...['--worker-reload-mercy', String(toSeconds(drainMs))],
  ]
}

function toSeconds(ms: number): number {
  return Math.ceil(ms / 1000)
}
