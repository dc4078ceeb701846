import type { GatewayOptions } from '@havn/gateway'
import type { TlsSettings } from '@havn/plugin-api'

/** TLS as the gateway's configuration has it. */
export function toGatewayTls({ certificates, redirectFrom, ...rest }: TlsSettings): GatewayOptions['tls'] {
  return { certificates: certificates.map((one) => ({ ...one })), redirectFrom: [...redirectFrom], ...rest }
}
