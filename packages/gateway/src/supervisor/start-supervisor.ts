import { rm } from 'node:fs/promises'
import { isDeepStrictEqual } from 'node:util'
import type { FailureReason, ReloadOutcome } from '@havn/model'
import type { Address } from '@havn/model/address'
import { toErrorJson, type ErrorJson } from '@havn/model/errors'
import type { SupervisedState } from '@havn/process'
import { closeLogger, createLogger, type Logger } from '@havn/telemetry'
import { doorToUrl, toDoor } from '../config/door.ts'
import type { GatewayConfig, GatewayOptions } from '../config/gateway-config.ts'
import { errors } from '../errors.ts'
import type { GatewayProcessStatus } from '../gateway-process/status.ts'
import { openCertificates } from '../tls/open-certificates.ts'
import { TlsKeeper } from '../tls/tls-keeper.ts'
import { GatewayChild } from './gateway-child.ts'
import type { GatewayListener } from './listener.ts'
import { openListeners } from './open-listeners.ts'
import { parseGatewayOptions } from './parse-options.ts'
import { ReloadQueue } from './reload-queue.ts'
import { createRunDirectory } from './run-directory.ts'

export interface SupervisorHooks {
  /** The environment of the gateway process, its threads and its workers, and so the app's. `process.env`. */
  env?: Readonly<Record<string, string | undefined>>
  /** Descriptors of bound sockets that this process was given: it listens on them in place of `options.listeners`. */
  sockets?: readonly number[]
  /** Breaks off a start that is under way: it rejects with the signal's reason. Later, `stop()` ends the gateway. */
  signal?: AbortSignal
}

export interface GatewayStatus {
  /** Of the gateway process: `waiting` between a death and the next start. */
  state: SupervisedState
  pid: number | null
  /** Of the gateway process, since the start. */
  restarts: number
  /** Deaths and failed starts of it in a row, until a long life. */
  failures: number
  /** How it ended last, or why it did not start; null without failures. */
  lastFailure: FailureReason | null
  addresses: readonly Address[]
  /** Gateway processes that have been replaced and finish what they have. */
  ending: readonly number[]
  /** How the last reload went; null before the first. */
  lastReload: ReloadRecord | null
  /** Null while the process does not answer. */
  process: GatewayProcessStatus | null
}

/** How a reload went. */
export type ReloadRecord = ReloadOutcome

/** What a reload is to do beyond giving the app anew to whoever runs it. */
export interface ReloadOptions {
  /** Replaces the gateway process too, as is always done for JavaScript apps and for what follows. */
  process?: boolean
  /** The environment of the gateway process and the app from now on. */
  env?: Readonly<Record<string, string | undefined>>
  /** The configuration from now on. Its listeners must be those that it has. */
  options?: GatewayOptions
}

/** A running gateway. */
export interface GatewayHandle {
  /** Of the listeners, with the ports that the kernel chose; those that only redirect are not among them. */
  readonly addresses: readonly Address[]
  status(): Promise<GatewayStatus>
  /**
   * Takes the app anew, without losing a request: Python workers are replaced one after the other, a JavaScript app
   * with its threads and their process. Successors take over once they answered the health path below 500. Resolves
   * when all of them serve. While one reload runs, those that are asked for become one, which follows it.
   *
   * @throws the app's own error (as a rejection), HAVN_ERR_APP_UNHEALTHY, HAVN_ERR_GATEWAY_CONFIG,
   * HAVN_ERR_GATEWAY_STOPPING; what served before serves on then.
   */
  reload(options?: ReloadOptions): Promise<void>
  /**
   * Answers what is in flight, for up to `timeouts.drainMs`, and ends; `force` ends at once, also an earlier stop
   * that still drains. Safe to call twice.
   */
  stop(options?: { force?: boolean }): Promise<void>
  /** Resolves when the gateway has ended; `error` is why it could not end well. Never rejects. */
  readonly ended: Promise<{ reason: string; error?: unknown }>
}

/**
 * Starts a gateway: binds its listeners, and keeps a gateway process running that accepts from them. Resolves when
 * it serves.
 *
 * @throws HAVN_ERR_GATEWAY_CONFIG, HAVN_ERR_HTTP_TLS_FILE and its like, HAVN_ERR_GATEWAY_ADDRESS_IN_USE,
 * HAVN_ERR_GATEWAY_ADDRESS, HAVN_ERR_APP_IMPORT and its like, whose detail is the app's own traceback (as rejections). Nothing is left
 * running then.
 */
export async function startSupervisor(
  options: GatewayOptions,
  hooks: SupervisorHooks = {},
): Promise<GatewayHandle> {
  const { env = process.env, sockets = [], signal } = hooks
  signal?.throwIfAborted()
  const config = parseGatewayOptions(options)
  const logger = createLogger({ name: 'supervisor', ...config.log })
  const { listeners, ...opened } = await openDoors(config, sockets, logger)
  let { tls } = opened
  const addresses = listeners.filter(({ redirects }) => !redirects).map(({ address }) => address)
  let runDirectory: string | null = null
  let gateway: GatewayChild
  let current: GatewayConfig = config

  async function release(): Promise<void> {
    await tls?.close()
    await Promise.all(listeners.map((listener) => listener.close()))
    if (runDirectory !== null) await rm(runDirectory, { recursive: true, force: true })
    await closeLogger(logger)
  }

  try {
    runDirectory = await createRunDirectory(config.runDirectory)
    gateway = new GatewayChild({
      config,
      runDirectory,
      listeners,
      tls: tls?.material ?? null,
      env: defined(env),
      logger,
    })
    await startUnlessAborted(gateway, signal)
  } catch (error) {
    await release()
    throw error
  }
  tls?.watch((material) => gateway.updateTls(material))
  const urls = listeners.map((listener) => doorToUrl(toDoor(listener, config.tls)))
  logger.info({ url: urls.join(' ') }, 'listening')

  const ended = Promise.withResolvers<{ reason: string; error?: unknown }>()
  let stopping: Promise<void> | null = null
  let lastReload: ReloadRecord | null = null
  const reloads = new ReloadQueue<ReloadOptions>(reload)

  async function reload(wish: ReloadOptions): Promise<void> {
    const startedAt = performance.now()
    const record = (error?: ErrorJson): ReloadRecord => ({
      at: new Date().toISOString(),
      durationMs: Math.round(performance.now() - startedAt),
      ...(error && { error }),
    })
    logger.info('the app is reloaded')
    try {
      await takeAnew(wish)
      lastReload = record()
      logger.info({ durationMs: lastReload.durationMs }, 'the app has been reloaded')
    } catch (cause) {
      const error = stopping === null ? cause : errors.HAVN_ERR_GATEWAY_STOPPING({}, { cause })
      lastReload = record(toErrorJson(error))
      if (stopping === null)
        logger.error({ err: lastReload.error }, 'the reload failed; what served before serves on')
      throw error
    }
  }

  async function takeAnew(wish: ReloadOptions): Promise<void> {
    if (stopping !== null) throw errors.HAVN_ERR_GATEWAY_STOPPING({})
    const next = wish.options && parseGatewayOptions(wish.options)
    if (next && !isDeepStrictEqual(boundBy(next), boundBy(config)))
      throw errors.HAVN_ERR_GATEWAY_RELOAD_ADDRESS({})
    const hasOtherTls = next !== undefined && !isDeepStrictEqual(next.tls, current.tls)
    if (hasOtherTls) return takeOtherTls(wish, next)
    await tls?.renew()
    const hasWorkers = gateway.state === 'ready' && (next ?? current).app.language === 'python'
    const isSame = next === undefined || isDeepStrictEqual(next, current)
    if (hasWorkers && isSame && !wish.process && wish.env === undefined) return gateway.reloadWorkers()
    const isEdgeAlone = next !== undefined && !isSame && differsInEdgeAlone(current, next)
    if (isEdgeAlone && gateway.state === 'ready' && !wish.process && wish.env === undefined) {
      if (await gateway.updateEdge(next)) {
        current = next
        return
      }
    }
    await gateway.replace({ config: next, ...(wish.env && { env: defined(wish.env) }) })
    if (next) current = next
  }

  /** Another process speaks TLS otherwise; the certificates of now are kept until it serves. */
  async function takeOtherTls({ env }: ReloadOptions, next: GatewayConfig): Promise<void> {
    const other = await openTls(next, logger, tls?.material.ticketKeys)
    const material = other?.material ?? null
    await gateway.replace({ config: next, tls: material, ...(env && { env: defined(env) }) })
    await tls?.close()
    tls = other
    current = next
    if (material !== null) gateway.updateTls(material)
    tls?.watch((changed) => gateway.updateTls(changed))
  }

  async function stop(force: boolean): Promise<void> {
    try {
      // Ours go first: once the threads have closed theirs too, a new connection is refused rather than left waiting.
      await Promise.all([tls?.close(), ...listeners.map((listener) => listener.close())])
      await gateway.stop(force)
      await release()
      ended.resolve({ reason: 'stopped' })
    } catch (error) {
      ended.resolve({ reason: 'stopped', error })
    }
  }

  return {
    addresses,
    async status() {
      const process = await gateway.status()
      const { state, pid, restarts, failures, lastFailure, ending } = gateway
      return { state, pid, restarts, failures, lastFailure, addresses, ending, lastReload, process }
    },
    reload: (wish = {}) => reloads.request(wish),
    async stop({ force = false } = {}) {
      if (stopping !== null && force) await gateway.stop(true)
      stopping ??= stop(force)
      await stopping
    },
    ended: ended.promise,
  }
}

/** Certificates are read before anything is bound: one that cannot be served is the first thing to be told of. */
async function openDoors(
  config: GatewayConfig,
  sockets: readonly number[],
  logger: Logger,
): Promise<{ tls: TlsKeeper | null; listeners: GatewayListener[] }> {
  try {
    const tls = await openTls(config, logger)
    return { tls, listeners: await openListeners(config, sockets) }
  } catch (error) {
    await closeLogger(logger)
    throw error
  }
}

async function openTls(
  { tls }: GatewayConfig,
  logger: Logger,
  ticketKeys?: string,
): Promise<TlsKeeper | null> {
  if (tls === undefined) return null
  const source = await openCertificates(tls, { logger })
  return TlsKeeper.open({ config: tls, source, logger, ticketKeys })
}

/** All addresses that a configuration names. */
function boundBy({ listeners, tls }: GatewayConfig): object {
  return { listeners, redirectFrom: tls?.redirectFrom ?? [] }
}

/** True when another configuration of the same edge module is all that is new. */
function differsInEdgeAlone(one: GatewayConfig, other: GatewayConfig): boolean {
  if (one.edge === undefined || other.edge?.module !== one.edge.module) return false
  return isDeepStrictEqual({ ...one, edge: null }, { ...other, edge: null })
}

async function startUnlessAborted(gateway: GatewayChild, signal: AbortSignal | undefined): Promise<void> {
  const onAbort = () => void gateway.stop(true)
  signal?.addEventListener('abort', onAbort, { once: true })
  try {
    await gateway.start()
  } catch (error) {
    if (signal?.aborted) await gateway.stop(true)
    throw signal?.aborted ? signal.reason : error
  } finally {
    signal?.removeEventListener('abort', onAbort)
  }
}

function defined(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  )
}
