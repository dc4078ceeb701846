import type { GatewayOptions } from '@havn/gateway'
import type { Endpoint } from '@havn/model'
import type { TlsSettings } from '@havn/plugin-api'

/** TLS as the gateway's configuration has it. */
export function toGatewayTls({ certificates, redirectFrom, ...rest }: TlsSettings): GatewayOptions['tls'] {
  return { certificates: certificates.map((one) => ({ ...one })), redirectFrom: [...redirectFrom], ...rest }
}

/** The addresses that send clients to https, as endpoints of whoever is the public door. */
export function redirectEndpoints(tls: TlsSettings | undefined): Endpoint[] {
  const addresses = tls?.redirectFrom ?? []
  return addresses.map((address, at) => ({
    id: at === 0 ? 'redirect' : `redirect-${at + 1}`,
    address,
    protocol: 'http',
    public: true,
  }))
}
