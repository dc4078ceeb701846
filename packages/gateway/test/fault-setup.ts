import { connect, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import type { GatewayHandle, GatewayOptions } from '../src/index.ts'
import { startSupervisor } from '../src/index.ts'
import { python } from './lifecycle-setup.ts'

const directory = fileURLToPath(new URL('./fault-apps', import.meta.url))

/** The same app for each kind of host. */
export const faultApps: Record<'wsgi' | 'asgi' | 'node', GatewayOptions['app']> = {
  wsgi: {
    language: 'python',
    interface: 'wsgi',
    target: 'fault_wsgi:application',
    directory,
    python: python ?? '',
    threads: 1,
  },
  asgi: {
    language: 'python',
    interface: 'asgi',
    target: 'fault_asgi:application',
    directory,
    python: python ?? '',
  },
  node: { language: 'node', interface: 'node', target: 'fault.ts', directory },
}
export type FaultInterface = keyof typeof faultApps

export function faultOptions(kind: FaultInterface, overrides: Partial<GatewayOptions> = {}): GatewayOptions {
  return {
    listeners: [{ type: 'tcp', host: '127.0.0.1', port: 0 }],
    app: faultApps[kind],
    log: { level: 'silent' },
    ...overrides,
  }
}

/** A heap without room for garbage: what a process holds is then what it needs. */
export const smallHeap = { NODE_OPTIONS: '--max-old-space-size=64 --max-semi-space-size=2' }

/** Starts a gateway with one worker, which ends with the test; gives its port too. */
export async function startFaultGateway(
  kind: FaultInterface,
  overrides: Partial<GatewayOptions> = {},
  env: Record<string, string> = {},
): Promise<GatewayHandle & { port: number }> {
  const handle = await startSupervisor(faultOptions(kind, overrides), { env: { ...process.env, ...env } })
  onTestFinished(() => handle.stop({ force: true }))
  const { port } = handle.addresses[0] as { port: number }
  return { ...handle, port }
}

/** A client that writes and reads as the test likes; what it reads is its `text`. It ends with its gateway. */
export class RawClient {
  readonly socket: Socket
  /** How the connection ended: `end` is orderly, `reset` and the like are not. */
  readonly closed: Promise<'end' | 'error'>
  text = ''

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1' })
    let ended = false
    let failed = false
    this.socket.setEncoding('latin1').on('data', (part: string) => (this.text += part))
    this.socket.on('end', () => (ended = true))
    this.socket.on('error', () => (failed = true))
    this.closed = new Promise((resolve) =>
      this.socket.once('close', () => resolve(ended && !failed ? 'end' : 'error')),
    )
  }

  write(text: string): this {
    this.socket.write(text, 'latin1')
    return this
  }
}

/** All that comes back for these bytes until the server ends the connection. */
export async function askRaw(port: number, text: string): Promise<string> {
  const client = new RawClient(port).write(text)
  await client.closed
  return client.text
}

export const closing = 'Host: a\r\nConnection: close\r\n'
