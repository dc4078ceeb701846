import { fileURLToPath } from 'node:url'
import type { GatewayApp } from '../config/gateway-config.ts'
import { protocolVersion } from '../frames/index.ts'

/** Credit of each stream, both ways. */
const WINDOW_BYTES = 256 * 1024

/** The program that the interpreter runs: our side of the host protocol, in Python. */
export const hostProgram: string = fileURLToPath(
  new URL('../../python/havn_host/__main__.py', import.meta.url),
)

export interface HostSettings {
  app: Extract<GatewayApp, { language: 'python' }>
  worker: number
  /** Number of this process of the worker. */
  instance: number
  socketPath: string
  scoreboardPath: string
  /** File for the host's Python stacks. */
  stacksPath: string
  /** Whether requests may have deadlines. */
  deadlines: boolean
  drainMs: number
}

/** A Python worker's environment: this process's own and HAVN_HOST (docs/reference/host-protocol.md). */
export function hostEnvironment(
  settings: HostSettings,
  inherited: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const { app, worker, instance, socketPath, scoreboardPath, stacksPath, deadlines, drainMs } = settings
  const host = {
    protocol: protocolVersion,
    socket: socketPath,
    worker,
    instance,
    interface: app.interface,
    target: app.target,
    directory: app.directory,
    threads: app.threads,
    scoreboard: scoreboardPath,
    stacks: stacksPath,
    deadlines,
    bodyWindow: WINDOW_BYTES,
    responseWindow: WINDOW_BYTES,
    lifespan: 'auto',
    drainMs,
  }
  const defined = Object.entries(inherited).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  )
  return { ...Object.fromEntries(defined), HAVN_HOST: JSON.stringify(host) }
}
