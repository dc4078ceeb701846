import type { Endpoint, PlatformConfig } from '@havn/model'
import { parseAddress, type Address } from '@havn/model/address'
import type { LogLevel, ServerSettings, TlsSettings } from '@havn/plugin-api'
import { errors } from '../errors.ts'
import type { ResourceLimits } from './resource-limits.ts'

/** What the command line said; it wins over the config file. */
export interface Overrides {
  bind?: string[]
  /** Files; the first key is that of the first certificate, and so on. */
  tlsCerts?: string[]
  tlsKeys?: string[]
  tls?: 'local'
  redirectFrom?: string[]
  workers?: number | 'auto'
  threads?: number | 'auto'
  workerThreads?: number
  isolation?: 'thread' | 'process'
  dispatch?: 'inline' | 'task'
  trustedProxies?: string[]
  logLevel?: LogLevel
  logFormat?: 'auto' | 'text' | 'json'
  access?: boolean | 'combined'
  requestTimeoutMs?: number
  recycle?: ServerSettings['recycle']
  queueTimeoutMs?: number
  maxQueue?: number
}

/** A setting with the reason for its value: what `platform explain` prints. */
export interface Explained<Value> {
  value: Value
  because: string
}

/** Expected of a worker, where `recycle.maxMemoryBytes` does not say what it may grow to: a Django site of some size. */
const workerBytes = 128 * 1024 * 1024
/** For everything but the workers. */
const gatewayBytes = 192 * 1024 * 1024

const defaultBind = '127.0.0.1:8000'

/** Where the public door is; with TLS it speaks that, but on Unix sockets. @throws HAVN_ERR_BIND_INVALID */
export function planPublicEndpoints(config: PlatformConfig, overrides: Overrides): Explained<Endpoint[]> {
  const fromConfig = typeof config.bind === 'string' ? [config.bind] : config.bind
  const texts = overrides.bind ?? fromConfig ?? [defaultBind]
  const because = overrides.bind
    ? '--bind says so'
    : fromConfig
      ? 'bind in the config says so'
      : 'loopback is the default: nothing is public unasked'
  const speaksTls =
    overrides.tlsCerts !== undefined || overrides.tls !== undefined || config.tls !== undefined
  const value = texts.map((text, index): Endpoint => {
    const address = toAddress(text)
    return {
      id: index === 0 ? 'public' : `public-${index + 1}`,
      address,
      protocol: speaksTls && address.type === 'tcp' ? 'https' : 'http',
      public: true,
    }
  })
  return { value, because }
}

function toAddress(text: string): Address {
  const address = parseAddress(text)
  if (!address) throw errors.HAVN_ERR_BIND_INVALID({ text })
  return address
}

/**
 * The number of workers, and why. Unasked it is one for each CPU, as far as memory goes: what the cgroup or the machine
 * has, less 192 MiB for the gateway, over what a worker may need: `recycle.maxMemoryBytes`, or 128 MiB.
 */
export function planWorkers(
  config: PlatformConfig,
  overrides: Overrides,
  limits: ResourceLimits,
): Explained<number> {
  const wanted = overrides.workers ?? config.workers ?? 'auto'
  if (wanted !== 'auto') {
    return {
      value: wanted,
      because: overrides.workers ? '--workers says so' : 'workers in the config says so',
    }
  }
  const { cpus, memory } = limits
  const eachBytes = planRecycle(config, overrides)?.maxMemoryBytes || workerBytes
  const fitting = Math.max(1, Math.floor((memory.bytes - gatewayBytes) / eachBytes))
  if (fitting >= cpus) {
    return {
      value: cpus,
      because: `one for each CPU that this process may use (${cpus}, by affinity and cgroup)`,
    }
  }
  const limit = memory.by === 'cgroup' ? 'the cgroup allows' : 'this machine has'
  return {
    value: fitting,
    because:
      `${limit} ${inMiB(memory.bytes)} of memory: room for ${fitting} of ${inMiB(eachBytes)} each, beside ` +
      `${inMiB(gatewayBytes)} for the gateway, on ${cpus} CPUs`,
  }
}

/** When workers are recycled; undefined where nobody said. */
function planRecycle(config: PlatformConfig, overrides: Overrides): ServerSettings['recycle'] {
  const recycle = { ...config.recycle, ...overrides.recycle }
  return Object.keys(recycle).length === 0 ? undefined : recycle
}

function inMiB(bytes: number): string {
  return `${Math.round(bytes / 1024 / 1024)} MiB`
}

/** Where a JavaScript app runs, and why. */
export function planIsolation(config: PlatformConfig, overrides: Overrides): Explained<'thread' | 'process'> {
  if (overrides.isolation) return { value: overrides.isolation, because: '--isolation says so' }
  if (config.isolation) return { value: config.isolation, because: 'isolation in the config says so' }
  return {
    value: 'thread',
    because: "the gateway's own threads are the default: they share one process and start fastest",
  }
}

/** How requests reach a JavaScript app, and why. */
export function planDispatch(config: PlatformConfig, overrides: Overrides): Explained<'inline' | 'task'> {
  if (overrides.dispatch) return { value: overrides.dispatch, because: '--dispatch says so' }
  if (config.dispatch) return { value: config.dispatch, because: 'dispatch in the config says so' }
  return {
    value: 'inline',
    because: 'the thread that accepts a request runs it: the default, and the fastest way for apps that wait',
  }
}

/**
 * Settings for whichever server runs the app.
 *
 * @param input.isTerminal whether stdout is one, for `log.format: auto`.
 * @param input.isColored whether text may have colours.
 * @param input.tls as `planTls` says.
 */
export function planServerSettings(input: {
  config: PlatformConfig
  overrides: Overrides
  resources: ResourceLimits
  isTerminal: boolean
  isColored: boolean
  threadModules: readonly string[]
  tls: TlsSettings | undefined
}): ServerSettings {
  const { config, overrides, resources, isTerminal, isColored, threadModules, tls } = input
  const threads = overrides.threads ?? config.threads ?? 'auto'
  const format = overrides.logFormat ?? config.log?.format ?? 'auto'
  const requestMs = overrides.requestTimeoutMs ?? config.timeouts?.requestMs
  return {
    workers: planWorkers(config, overrides, resources).value,
    ...(threads !== 'auto' && { threads }),
    ...optional('workerThreads', overrides.workerThreads ?? config.workerThreads),
    ...optional('recycle', planRecycle(config, overrides)),
    ...optional('isolation', overrides.isolation ?? config.isolation),
    ...optional('dispatch', overrides.dispatch ?? config.dispatch),
    ...optional('taskLimits', config.taskLimits),
    trustedProxies: overrides.trustedProxies ?? config.trustedProxies ?? [],
    ...optional('proxyProtocol', config.proxyProtocol),
    ...optional('tls', tls),
    limits: { ...config.limits, ...optional('maxQueue', overrides.maxQueue) },
    timeouts: {
      ...config.timeouts,
      ...optional('requestMs', requestMs),
      ...optional('queueMs', overrides.queueTimeoutMs),
    },
    ...optional('routes', config.routes),
    ...optional('edge', config.edge),
    ...optional('requestId', config.requestId),
    log: {
      level: overrides.logLevel ?? config.log?.level ?? 'info',
      format: format === 'auto' ? (isTerminal ? 'text' : 'json') : format,
      access: overrides.access ?? config.log?.access ?? true,
      ...optional('accessQuery', config.log?.accessQuery),
      ...(isColored && { color: true }),
    },
    threadModules,
  }
}

function optional<Key extends string, Value>(key: Key, value: Value | undefined): { [K in Key]?: Value } {
  return value === undefined ? {} : ({ [key]: value } as { [K in Key]: Value })
}
