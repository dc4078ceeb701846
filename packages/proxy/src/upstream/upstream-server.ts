import { createHash } from 'node:crypto'
import { Agent } from 'node:http'
import type { AgentOptions, RequestOptions } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { isDeepStrictEqual } from 'node:util'
import { formatAddress } from '@havn/model'
import type { Upstream, UpstreamServerConfig } from '@havn/model'
import { Circuit } from './circuit.ts'
import { ConnectionPool } from './client/connection-pool.ts'
import { Dialer } from './client/dialer.ts'
import { SessionPool } from './client/http2/session-pool.ts'
import type { TlsMaterial } from './client/tls-material.ts'

/** What its connections are made and kept by. */
type ConnectionSettings = Pick<
  Upstream,
  | 'connectTimeoutMs'
  | 'responseTimeoutMs'
  | 'idleTimeoutMs'
  | 'keepAliveMs'
  | 'maxConnections'
  | 'protocol'
  | 'pingMs'
>

type ServerAddress = Pick<UpstreamServerConfig, 'address' | 'isTls'>

/** One address of an upstream, in one thread: its connections, and what is known of how it does. */
export class UpstreamServer {
  /** As people read it. */
  readonly name: string
  /** As clients may read it: says nothing of the address. */
  readonly id: string
  /** For node:http. */
  readonly target: { socketPath: string } | { host: string; port: number }
  readonly agent: Agent
  /** For node:http, too: a connection that the pool does not know. */
  readonly ownConnection: Pick<RequestOptions, 'createConnection'>
  readonly pool: ConnectionPool
  readonly dialer: Dialer
  /** Its HTTP/2 connections; null for one that is spoken to by HTTP/1.1 alone. */
  readonly sessions: SessionPool | null
  readonly circuit = new Circuit()
  /** By health checks; true where there are none. */
  isHealthy = true
  /** When it came or came back, by `performance.now()`: from then on its weight grows. */
  startedAt = -Infinity
  /** Attempts that failed, ever. */
  failures = 0
  readonly #settings: ConnectionSettings
  readonly #tls: TlsMaterial | null
  readonly #tunnels = new Set<Duplex>()
  readonly #idle = new Set<() => void>()
  #inFlight = 0

  /** @param tls that of its upstream, for a server that speaks it. */
  constructor(server: ServerAddress, config: ConnectionSettings, tls: TlsMaterial | null) {
    const { address } = server
    this.name = nameOf(server)
    this.id = createHash('sha256').update(this.name).digest('base64url').slice(0, 16)
    this.target =
      address.type === 'unix' ? { socketPath: address.path } : { host: address.host, port: address.port }
    this.#settings = settingsOf(config)
    this.#tls = server.isTls ? tls : null
    const dialer = new Dialer(address, this.#tls)
    this.dialer = dialer
    const agentOptions = {
      keepAlive: true,
      maxSockets: config.maxConnections,
      // Also ends pooled connections that lie unused for so long.
      timeout: config.keepAliveMs,
      // The connection used last is the one least likely to be closed by the other side.
      scheduling: 'lifo' as const,
    }
    this.agent = new DialingAgent(agentOptions, dialer)
    this.ownConnection = { createConnection: () => dialer.dial() }
    this.pool = new ConnectionPool({ dialer, ...this.#settings })
    // Whoever speaks no TLS cannot be asked what else it speaks.
    const isNegotiated = config.protocol === 'auto'
    const speaksHttp2 = isNegotiated ? server.isTls : config.protocol === 'http/2'
    this.sessions = speaksHttp2 ? new SessionPool({ dialer, isNegotiated, ...this.#settings }) : null
  }

  /** Requests that it has not answered in full. */
  get inFlight(): number {
    return this.#inFlight
  }

  get tunnels(): number {
    return this.#tunnels.size
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

  /** True when it is what `config` asks for at that address. */
  serves(server: ServerAddress, config: ConnectionSettings, tls: TlsMaterial | null): boolean {
    if (nameOf(server) !== this.name || !isDeepStrictEqual(settingsOf(config), this.#settings)) return false
    return !server.isTls || isDeepStrictEqual(tls, this.#tls)
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
    this.sessions?.retire()
  }

  /** Closes every connection; safe to call twice. */
  close(): void {
    for (const tunnel of this.#tunnels) tunnel.destroy()
    this.agent.destroy()
    this.pool.close()
    this.sessions?.close()
  }
}

/** node:http's pool, of connections that it does not open itself. */
class DialingAgent extends Agent {
  readonly #dialer: Dialer

  constructor(options: AgentOptions, dialer: Dialer) {
    super(options)
    this.#dialer = dialer
  }

  override createConnection(): Socket {
    return this.#dialer.dial()
  }
}

function nameOf({ address, isTls }: ServerAddress): string {
  return `${isTls ? 'https://' : ''}${formatAddress(address)}`
}

function settingsOf(config: ConnectionSettings): ConnectionSettings {
  const { connectTimeoutMs, responseTimeoutMs, idleTimeoutMs, keepAliveMs, maxConnections } = config
  const { protocol, pingMs } = config
  return {
    ...{ connectTimeoutMs, responseTimeoutMs, idleTimeoutMs, keepAliveMs, maxConnections },
    ...{ protocol, pingMs },
  }
}
