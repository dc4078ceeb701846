import type { Endpoint } from '@havn/model'
import type { TlsSettings } from './kinds/server.ts'

/** The addresses that send clients to https, as endpoints of whoever is the public door. */
export function redirectEndpoints(tls: Pick<TlsSettings, 'redirectFrom'> | undefined): Endpoint[] {
  const addresses = tls?.redirectFrom ?? []
  return addresses.map((address, at) => ({
    id: at === 0 ? 'redirect' : `redirect-${at + 1}`,
    address,
    protocol: 'http',
    public: true,
  }))
}
