import type { Server } from 'node:http'
import { Server as NetServer, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import {
  createListener,
  sendGoAway,
  updateTls,
  type ClientLimit,
  type ListenerHandlers,
  type ListenerOptions,
  type TlsOptions,
} from '@havn/http'
import { formatAddress, type Address } from '@havn/model/address'
import { toErrorJson } from '@havn/model/errors'
import type { PluginLogger } from '@havn/plugin-api'
import type { Door } from '../config/door.ts'
import type { GatewayConfig } from '../config/gateway-config.ts'
import type { Counters } from '../dispatch/counters.ts'
import { errors } from '../errors.ts'
import type { TlsMaterial } from '../tls/tls-material.ts'
import { createConnectionLimit } from './connection-limit.ts'
import { createConnectionNotice } from './connection-notice.ts'

const BACKLOG = 511
/**
 * At a drain a connection that has no request twice in a row, this far apart, is closed. A request may be on its way
 * to one that is idle: closed at once, it would be lost.
 */
const IDLE_MS = 250

export interface ThreadListenersOptions {
  config: GatewayConfig
  doors: readonly Door[]
  /** Null where no door speaks TLS. */
  tls: TlsMaterial | null
  /** One for each door; this thread's alone, and closed with its server. */
  descriptors: readonly number[]
  counters: Counters
  logger: PluginLogger
  /** Limits of single requests, as the edge has them; absent, the gateway's hold for all. */
  limitsOf: ListenerOptions['limitsOf']
  onRejected: ListenerOptions['onRejected']
  clientLimit: ClientLimit
  handlersOf: (door: Door) => ListenerHandlers
  /** Connections that a drain must wait for. */
  busySockets: () => Set<Duplex>
}

/** A thread's HTTP servers: one for each door. */
export interface ThreadListeners {
  /** @throws HAVN_ERR_GATEWAY_ADDRESS_IN_USE, HAVN_ERR_GATEWAY_ADDRESS */
  listen(): Promise<void>
  /**
   * Accepts nothing more, closes connections that stay idle; resolves when the others have ended too. Safe to call
   * twice.
   */
  drain(): Promise<void>
  /** Handshakes from now on are with this. What is wrong with it is logged, and leaves all as it was. */
  updateTls(tls: TlsMaterial): void
  /** Breaks off what is left. */
  closeAll(): void
}

/** Creates the servers of a thread; they accept nothing before `listen`. */
export function createThreadListeners(options: ThreadListenersOptions): ThreadListeners {
  const {
    config,
    doors,
    descriptors,
    counters,
    logger,
    limitsOf,
    onRejected,
    clientLimit,
    handlersOf,
    busySockets,
  } = options
  const { limits, timeouts, trustedProxies, proxyProtocol } = config
  // A listener of the user's own may wait for the end of a GET's body; ours never does.
  const endEmptyBodies = config.app.language !== 'node'
  const sockets = new Set<Duplex>()
  let closed: Promise<void> | null = null

  const limitConnection = createConnectionLimit({ counters, maxConnections: limits.maxConnections, logger })

  const onSlowClient = createConnectionNotice(logger)
  const onProxyHeaderMissing = createConnectionNotice(logger)

  function onConnection(socket: Socket): void {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    limitConnection(socket)
  }

  const servers = doors.map((door) => {
    const { address, speaks } = door
    const socketPath = address.type === 'unix' ? address.path : undefined
    const tls = speaks === 'https' ? toTlsOptions(options) : undefined
    return createListener(
      {
        limits,
        timeouts,
        trustedProxies,
        proxyProtocol,
        tls,
        http2: config.tls?.http2,
        socketPath,
        endEmptyBodies,
        limitsOf,
        onRejected,
        clientLimit,
        onConnection,
        onSlowClient,
        onProxyHeaderMissing,
      },
      handlersOf(door),
    )
  })

  async function endConnections(): Promise<void> {
    for (const server of servers) sendGoAway(server)
    let idle = new Set<Duplex>()
    const timer = setInterval(() => {
      const busy = busySockets()
      const before = idle
      idle = new Set([...sockets].filter((socket) => !busy.has(socket)))
      for (const socket of idle) if (before.has(socket)) socket.destroy()
    }, IDLE_MS)
    await Promise.all(servers.map(close))
    clearInterval(timer)
  }

  return {
    async listen() {
      await Promise.all(servers.map((server, at) => listen(server, descriptors[at]!, doors[at]!.address)))
    },
    drain() {
      closed ??= endConnections()
      return closed
    },
    updateTls({ certificates, ticketKeys }) {
      try {
        for (const [at, server] of servers.entries()) {
          if (doors[at]!.speaks !== 'https') continue
          updateTls(server, { certificates, ticketKeys: Buffer.from(ticketKeys, 'base64') })
        }
      } catch (error) {
        logger.error({ err: toErrorJson(error) }, 'the new certificates cannot be served; those before are')
      }
    },
    closeAll() {
      // Upgraded connections are no longer the server's: it would not close them. Others are not yet among ours.
      for (const socket of sockets) socket.destroy()
      for (const server of servers) server.closeAllConnections()
    },
  }
}

function toTlsOptions({ config, tls }: ThreadListenersOptions): TlsOptions {
  if (config.tls === undefined || tls === null)
    throw new TypeError('A door speaks TLS, and there are no certificates.')
  const { minVersion, handshakeMs, maxHandshakes } = config.tls
  const { certificates, ticketKeys } = tls
  return {
    certificates,
    ticketKeys: Buffer.from(ticketKeys, 'base64'),
    minVersion,
    // The supervisor has checked them. A thread that starts again later serves on with what there is.
    acceptsExpired: true,
    handshakeMs,
    maxHandshakes,
  }
}

function listen(server: Server, fd: number, address: Address): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const shown = formatAddress(address)
      // Two sockets may be bound to one address while neither listens: the second to listen is told here.
      if (cause.code === 'EADDRINUSE')
        reject(errors.HAVN_ERR_GATEWAY_ADDRESS_IN_USE({ address: shown }, { cause }))
      else reject(errors.HAVN_ERR_GATEWAY_ADDRESS({ address: shown, reason: cause.message }, { cause }))
    })
    server.listen({ fd, backlog: BACKLOG }, resolve)
  })
}

/** As net.Server does: http.Server would close idle connections at once. One that never listened is no error. */
function close(server: Server): Promise<void> {
  return new Promise((resolve) => NetServer.prototype.close.call(server, () => resolve()))
}
