import { rm } from 'node:fs/promises'
import { addressToUrl, type Address } from '@havn/model'
import type { SupervisedState } from '@havn/process'
import { closeLogger, createLogger } from '@havn/telemetry'
import type { GatewayOptions } from '../config/gateway-config.ts'
import type { GatewayProcessStatus } from '../gateway-process/status.ts'
import { bindListeners } from './bind-listeners.ts'
import { GatewayChild } from './gateway-child.ts'
import { parseGatewayOptions } from './parse-options.ts'
import { createRunDirectory } from './run-directory.ts'

export interface SupervisorHooks {
  /** The environment of the gateway process, its threads and its workers, and so the app's. `process.env`. */
  env?: Readonly<Record<string, string | undefined>>
  /** Breaks off a start that is under way: it rejects with the signal's reason. Later, `stop()` ends the gateway. */
  signal?: AbortSignal
}

export interface GatewayStatus {
  /** Of the gateway process: `waiting` between a death and the next start. */
  state: SupervisedState
  pid: number | null
  /** Of the gateway process, since the start. */
  restarts: number
  addresses: readonly Address[]
  /** Null while the process does not answer. */
  process: GatewayProcessStatus | null
}

/** A running gateway. */
export interface GatewayHandle {
  /** With the ports that the kernel chose. */
  readonly addresses: readonly Address[]
  status(): Promise<GatewayStatus>
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
 * @throws HAVN_ERR_GATEWAY_CONFIG, HAVN_ERR_GATEWAY_ADDRESS_IN_USE, HAVN_ERR_GATEWAY_ADDRESS,
 * HAVN_ERR_APP_IMPORT and its like, whose detail is the app's own traceback (as rejections). Nothing is left
 * running then.
 */
export async function startSupervisor(
  options: GatewayOptions,
  hooks: SupervisorHooks = {},
): Promise<GatewayHandle> {
  const { env = process.env, signal } = hooks
  signal?.throwIfAborted()
  const config = parseGatewayOptions(options)
  const listeners = await bindListeners(config.listeners)
  const addresses = listeners.map(({ address }) => address)
  const logger = createLogger({ name: 'supervisor', ...config.log })
  let runDirectory: string | null = null
  let gateway: GatewayChild

  async function release(): Promise<void> {
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
      env: defined(env),
      logger,
    })
    await startUnlessAborted(gateway, signal)
  } catch (error) {
    await release()
    throw error
  }
  logger.info({ url: addresses.map((address) => addressToUrl(address)).join(' ') }, 'listening')

  const ended = Promise.withResolvers<{ reason: string; error?: unknown }>()
  let stopping: Promise<void> | null = null

  async function stop(force: boolean): Promise<void> {
    try {
      // Ours go first: once the threads have closed theirs too, a new connection is refused rather than left waiting.
      await Promise.all(listeners.map((listener) => listener.close()))
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
      return { state: gateway.state, pid: gateway.pid, restarts: gateway.restarts, addresses, process }
    },
    async stop({ force = false } = {}) {
      if (stopping !== null && force) await gateway.stop(true)
      stopping ??= stop(force)
      await stopping
    },
    ended: ended.promise,
  }
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
