import { createHash } from 'node:crypto'
import { Agent } from 'node:http'
import type { Duplex } from 'node:stream'
import { isDeepStrictEqual } from 'node:util'
import { formatAddress } from '@havn/model'
import type { Address, Upstream } from '@havn/model'
import { Circuit } from './circuit.ts'
import { ConnectionPool } from './client/connection-pool.ts'

/** What its connections are made and kept by. */
type ConnectionSettings = Pick<
  Upstream,
  'connectTimeoutMs' | 'responseTimeoutMs' | 'idleTimeoutMs' | 'keepAliveMs' | 'maxConnections'
>

/** One address of an upstream, in one thread: its connections, and what is known of how it does. */
export class UpstreamServer {
  /** As people read it. */
  readonly name: string
  /** As clients may read it: says nothing of the address. */
  readonly id: string
  /** For node:http. */
  readonly target: { socketPath: string } | { host: string; port: number }
  readonly agent: Agent
  readonly pool: ConnectionPool
  readonly circuit = new Circuit()
  /** By health checks; true where there are none. */
  isHealthy = true
  /** When it came or came back, by `performance.now()`: from then on its weight grows. */
  startedAt = -Infinity
  /** Attempts that failed, ever. */
  failures = 0
  readonly #settings: ConnectionSettings
  readonly #tunnels = new Set<Duplex>()
  readonly #idle = new Set<() => void>()
  #inFlight = 0

  constructor(address: Address, config: ConnectionSettings) {
    this.name = formatAddress(address)
    this.id = createHash('sha256').update(this.name).digest('base64url').slice(0, 16)
    this.target =
      address.type === 'unix' ? { socketPath: address.path } : { host: address.host, port: address.port }
    this.#settings = settingsOf(config)
    this.agent = new Agent({
      keepAlive: true,
      maxSockets: config.maxConnections,
      // Also ends pooled connections that lie unused for so long.
      timeout: config.keepAliveMs,
      // The connection used last is the one least likely to be closed by the other side.
      scheduling: 'lifo',
    })
    this.pool = new ConnectionPool({ address, ...this.#settings })
  }

  /** Requests that it has not answered in full. */
  get inFlight(): number {
    return this.#inFlight
  }

  /** Requests and tunnels. */
  get load(): number {
    return this.#inFlight + this.#tunnels.size
  }

  /**
   * A client's connection leads here, or is about to: closed with the server, and else nobody's concern.
   *
   * @returns what forgets it; its end does so too.
   */
  holdTunnel(client: Duplex): () => void {
    const forget = () => {
      client.off('close', forget)
      this.#tunnels.delete(client)
    }
    this.#tunnels.add(client)
    client.once('close', forget)
    return forget
  }

  /** True when it is what `config` asks for at `address`. */
  serves(address: Address, config: ConnectionSettings): boolean {
    return formatAddress(address) === this.name && isDeepStrictEqual(settingsOf(config), this.#settings)
  }

  begin(): void {
    this.#inFlight += 1
  }

  end(): void {
    this.#inFlight -= 1
    if (this.#inFlight > 0) return
    for (const resolve of this.#idle) resolve()
    this.#idle.clear()
  }

  /** Gets nothing new: resolves when it has answered what it has, and its connections are closed. Tunnels go on. */
  async retire(): Promise<void> {
    if (this.#inFlight > 0) await new Promise<void>((resolve) => this.#idle.add(resolve))
    this.agent.destroy()
    this.pool.retire()
  }

  /** Closes every connection; safe to call twice. */
  close(): void {
    for (const tunnel of this.#tunnels) tunnel.destroy()
    this.agent.destroy()
    this.pool.close()
  }
}

function settingsOf(config: ConnectionSettings): ConnectionSettings {
  const { connectTimeoutMs, responseTimeoutMs, idleTimeoutMs, keepAliveMs, maxConnections } = config
  return { connectTimeoutMs, responseTimeoutMs, idleTimeoutMs, keepAliveMs, maxConnections }
}
