import type { GatewayConfig } from '../config/gateway-config.ts'

/** What every websocket of a gateway is held to: compression is bounded in memory and in concurrent work. */
export function webSocketOptions(limits: GatewayConfig['limits']) {
  return {
    noServer: true,
    clientTracking: false,
    /** Largest message of a client; 1009 beyond it (RFC 6455 §7.4.1). */
    maxPayload: limits.maxWebSocketMessageBytes,
    /** Most fragments of a message: each costs memory of its own, however little it holds. */
    maxFragments: 64 * 1024,
    perMessageDeflate: {
      serverNoContextTakeover: true,
      clientNoContextTakeover: true,
      /** Smaller messages gain nothing. */
      threshold: 1024,
      concurrencyLimit: 4,
      zlibDeflateOptions: { level: 3, memLevel: 7 },
    },
  } as const
}
