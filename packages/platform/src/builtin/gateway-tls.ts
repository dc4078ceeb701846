import type { GatewayOptions } from '@havn/gateway'
import type { TlsSettings } from '@havn/plugin-api'
import { acmeModule, challengeDirectory } from '@havn/proxy'

/** TLS as the gateway's configuration has it. */
export function toGatewayTls({
  certificates,
  acme,
  redirectFrom,
  ...rest
}: TlsSettings): GatewayOptions['tls'] {
  return {
    certificates: certificates.map((one) => ({ ...one })),
    ...(acme && {
      source: { module: acmeModule, config: { ...acme, domains: [...acme.domains] } },
      challengeDirectory: challengeDirectory(acme.storage),
    }),
    redirectFrom: [...redirectFrom],
    ...rest,
  }
}
