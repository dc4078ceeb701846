import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { HavnError } from '@havn/model/errors'
import { isKnownConnection } from '../connection.ts'
import { errors } from '../errors.ts'
import { createPeerTrust, plainAddress } from '../peer-trust.ts'
import { parseProxyHeader } from './parse-proxy-header.ts'
import { setProxiedClient } from './proxied-socket.ts'

export interface ProxyDoorOptions {
  server: Server
  /** Addresses and CIDRs of the peers whose connections begin with a header; `unix` for those on a Unix socket. */
  senders: readonly string[]
  /** From a connection's start to its header's end. */
  headersMs: number
  /** Is told of a sender's connection that was closed for want of a header. */
  onMissing: ((error: HavnError) => void) | undefined
}

/**
 * Puts the PROXY protocol before all that a server does with a connection, TLS included: what it sees begins behind the
 * header, and has the addresses that the header names. Connections of others than the senders are let through as they
 * are: a header of theirs is no request, and refused as such. To be called last, after the TLS door.
 *
 * @throws HAVN_ERR_HTTP_TRUSTED_PROXY
 */
export function openProxyDoor({ server, senders, headersMs, onMissing }: ProxyDoorOptions): void {
  const isSender = createPeerTrust(senders)
  const waiting = new Set<Socket>()
  const inside = server.listeners('connection') as ((socket: Duplex) => void)[]
  const enter = (socket: Duplex) => {
    for (const listener of inside) listener.call(server, socket)
  }

  function readHeader(socket: Socket): void {
    const peer = plainAddress(socket.remoteAddress ?? '')
    let seen: Buffer = Buffer.alloc(0)
    const timer = setTimeout(() => fail(`it did not end within ${headersMs} ms`), headersMs)
    waiting.add(socket)
    socket.on('readable', onReadable).on('end', onEnd).on('error', ignore).on('close', leave)

    function leave(): void {
      clearTimeout(timer)
      waiting.delete(socket)
      socket.off('readable', onReadable).off('end', onEnd).off('error', ignore).off('close', leave)
    }

    function fail(reason: string): void {
      // One that was opened ahead of need, or to see whether somebody listens, ends without a word.
      if (seen.length > 0) {
        onMissing?.(errors.HAVN_ERR_HTTP_PROXY_HEADER({ peer: peer || 'a peer on a Unix socket', reason }))
      }
      socket.destroy()
    }

    function onEnd(): void {
      fail('the connection ended before it')
    }

    function onReadable(): void {
      const chunk = socket.read() as Buffer | null
      if (chunk === null) return
      seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk])
      const header = parseProxyHeader(seen)
      if (header === 'incomplete') return
      if (header === 'malformed') return fail('something else came in its place')
      leave()
      setProxiedClient(socket, header.client)
      // Put back first: TLS takes over what is there when it begins.
      if (seen.length > header.length) socket.unshift(seen.subarray(header.length))
      enter(socket)
    }
  }

  server.removeAllListeners('connection')
  server.on('connection', (socket: Socket) => {
    // One that has come through comes back from an upgrade, or for another parser.
    if (isKnownConnection(socket) || !isSender(plainAddress(socket.remoteAddress ?? ''))) enter(socket)
    else readHeader(socket)
  })

  const closeIdleConnections = server.closeIdleConnections.bind(server)
  server.closeIdleConnections = () => {
    closeIdleConnections()
    for (const socket of waiting) if (socket.bytesRead === 0) socket.destroy()
  }
  const closeAllConnections = server.closeAllConnections.bind(server)
  server.closeAllConnections = () => {
    closeAllConnections()
    for (const socket of waiting) socket.destroy()
  }
}

function ignore(): void {}
