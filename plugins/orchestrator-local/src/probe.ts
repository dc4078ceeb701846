import { request } from 'node:http'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { formatAddress } from '@havn/model/address'
import type { Probe } from '@havn/model'
import type { Address } from '@havn/model/address'
import type { ReadyChannel } from './ready-channel.ts'

/** One question that nobody answers is given up after this, and asked again. */
const ATTEMPT_MS = 15_000

export interface ProbeOptions {
  probe: Probe
  channel: ReadyChannel
  /** Told the outcome of each attempt, in words. */
  onAttempt(outcome: string): void
  signal: AbortSignal
}

/** Resolves when the probe succeeds; asks again and again until the signal is aborted, and throws its reason. */
export async function waitForProbe({ probe, channel, onAttempt, signal }: ProbeOptions): Promise<void> {
  if (probe.type === 'ipc') {
    onAttempt('it did not say that it is ready')
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    })
    return Promise.race([channel.ready, aborted])
  }
  const attempt = probe.type === 'http' ? askHttp : askConnect
  while (!signal.aborted) {
    const outcome = await attempt(probe as never, AbortSignal.any([signal, AbortSignal.timeout(ATTEMPT_MS)]))
    if (outcome === null) return
    if (signal.aborted) break
    onAttempt(outcome)
    await sleep(probe.intervalMs, undefined, { signal }).catch(() => {})
  }
  signal.throwIfAborted()
}

/** Null when the process is well, otherwise what was seen. */
type Outcome = string | null

function askHttp(probe: Extract<Probe, { type: 'http' }>, signal: AbortSignal): Promise<Outcome> {
  const what = `GET ${probe.path} on ${formatAddress(probe.address)} (Host: ${probe.host})`
  return new Promise((resolve) => {
    const headers = { host: probe.host, connection: 'close', 'user-agent': 'havn-probe' }
    const asked = request({ ...target(probe.address), path: probe.path, headers, agent: false, signal })
    asked.once('response', (response) => {
      response.on('error', () => {}).resume()
      const status = response.statusCode ?? 0
      resolve(status < probe.failFrom ? null : `${what} was answered with ${status}`)
    })
    asked.once('error', (error) => resolve(`${what}: ${reason(error)}`))
    asked.end()
  })
}

function askConnect(probe: Extract<Probe, { type: 'connect' }>, signal: AbortSignal): Promise<Outcome> {
  return new Promise((resolve) => {
    const { socketPath, ...tcp } = target(probe.address)
    const socket =
      socketPath === undefined ? connect(tcp as { host: string; port: number }) : connect(socketPath)
    const done = (outcome: Outcome) => {
      socket.destroy()
      resolve(outcome)
    }
    signal.addEventListener('abort', () => done('no answer'), { once: true })
    socket.once('connect', () => done(null))
    socket.once('error', (error) => done(`connecting to ${formatAddress(probe.address)}: ${reason(error)}`))
  })
}

/** A wildcard address is asked on loopback. */
function target(address: Address): { socketPath?: string; host?: string; port?: number } {
  if (address.type === 'unix') return { socketPath: address.path }
  const loopback: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' }
  return { host: loopback[address.host] ?? address.host, port: address.port }
}

function reason(error: NodeJS.ErrnoException): string {
  const known: Readonly<Record<string, string>> = {
    ECONNREFUSED: 'nobody listens there',
    ENOENT: 'there is no such socket yet',
    ECONNRESET: 'the connection was closed without an answer',
    ABORT_ERR: 'no answer',
  }
  return known[error.code ?? ''] ?? error.message
}
