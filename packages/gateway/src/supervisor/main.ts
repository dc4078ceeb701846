import { readFile } from 'node:fs/promises'
import { HavnError, toErrorJson } from '@havn/model/errors'
import { createHangupSignal, createShutdownSignals } from '@havn/process'
import type { GatewayOptions } from '../config/gateway-config.ts'
import { errors } from '../errors.ts'
import { describeCondition } from './describe-condition.ts'
import { startSupervisor, type GatewayHandle } from './start-supervisor.ts'
import { takeSystemdSockets } from './systemd-sockets.ts'

/**
 * A supervisor as a process of its own. Its configuration is the JSON file that the first argument or
 * HAVN_GATEWAY_CONFIG names. Over an IPC channel, where there is one, it sends { type: 'ready', addresses } or
 * { type: 'failed', error }, and it drains when that channel ends. SIGHUP reloads, with the file as it is then, and
 * SIGUSR2 replaces the gateway process as well; how that went is said as { type: 'reloaded', error? }. Asked with
 * { type: 'status', id } it answers { type: 'status', id, status }.
 */
async function main(): Promise<void> {
  let handle: GatewayHandle | null = null
  const starting = new AbortController()
  const stop = (force: boolean) => {
    starting.abort()
    if (handle !== null) void handle.stop({ force })
    else if (force) process.exit(1)
  }
  createShutdownSignals({ onStop: () => stop(false), onForce: () => stop(true) })
  createHangupSignal({ onReload: () => void reload(handle, false), onHangup: () => stop(false) })
  process.on('SIGUSR2', () => void reload(handle, true))
  process.once('disconnect', () => stop(false))
  process.on('message', (message: { type: string; id: number }) => {
    if (message.type === 'status') void answerStatus(handle, message.id)
  })
  try {
    const sockets = takeSystemdSockets(process.env)
    handle = await startSupervisor(await readOptions(), { sockets, signal: starting.signal })
  } catch (error) {
    if (starting.signal.aborted) process.exit(0)
    await fail(error)
    return
  }
  await send({ type: 'ready', addresses: handle.addresses })
  if (starting.signal.aborted) stop(false)
  const { error } = await handle.ended
  process.exit(error === undefined ? 0 : 1)
}

/** While it starts there is nothing to reload. Failures are in the supervisor's log. */
async function reload(handle: GatewayHandle | null, isUpgrade: boolean): Promise<void> {
  if (handle === null) return
  try {
    await handle.reload({ options: await readOptions(), ...(isUpgrade && { process: true }) })
    await send({ type: 'reloaded' })
  } catch (error) {
    await send({ type: 'reloaded', error: toErrorJson(error) })
  }
}

/** While it starts there is nothing to tell. */
async function answerStatus(handle: GatewayHandle | null, id: number): Promise<void> {
  if (handle !== null) await send({ type: 'status', id, status: describeCondition(await handle.status()) })
}

async function readOptions(): Promise<GatewayOptions> {
  const path = process.argv[2] ?? process.env['HAVN_GATEWAY_CONFIG'] ?? ''
  try {
    return JSON.parse(await readFile(path, 'utf8')) as GatewayOptions
  } catch (cause) {
    throw errors.HAVN_ERR_GATEWAY_CONFIG_FILE(
      { path: path || '(no path)', reason: (cause as Error).message },
      { cause },
    )
  }
}

async function fail(error: unknown): Promise<void> {
  const json = toErrorJson(error)
  if (process.connected) await send({ type: 'failed', error: json })
  else process.stderr.write(describe(json))
  process.exit(error instanceof HavnError ? error.exit : 1)
}

function describe({ code, message, hint, detail }: ReturnType<typeof toErrorJson>): string {
  return [`${code}: ${message}`, hint, ...(detail === undefined ? [] : ['', detail]), ''].join('\n')
}

function send(message: object): Promise<void> {
  return new Promise((resolve) => {
    if (process.connected) process.send?.(message, () => resolve())
    else resolve()
  })
}

await main()
