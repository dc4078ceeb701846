import type { Address } from '@havn/model/address'
import { addressToUrl } from '@havn/model/address'
import type { GatewayTls } from './tls-config.ts'

/** An address that threads accept from, and what is spoken there. */
export interface Door {
  address: Address
  /** `redirect` is plain HTTP that sends everybody to https. */
  speaks: 'http' | 'https' | 'redirect'
}

/** What is spoken on a listener: TLS on all that clients of other machines can reach, where there is any. */
export function toDoor(
  { address, redirects }: { address: Address; redirects: boolean },
  tls: GatewayTls | undefined,
): Door {
  if (redirects) return { address, speaks: 'redirect' }
  return { address, speaks: tls !== undefined && address.type === 'tcp' ? 'https' : 'http' }
}

/** The URL that a person opens. */
export function doorToUrl({ address, speaks }: Door): string {
  return addressToUrl(address, speaks === 'https' ? 'https' : 'http')
}

/** The port of https that clients are sent to. */
export function publicHttpsPort(doors: readonly Door[], tls: GatewayTls): number {
  if (tls.publicPort !== undefined) return tls.publicPort
  const [port = 443] = doors.flatMap(({ address, speaks }) =>
    speaks === 'https' && address.type === 'tcp' ? [address.port] : [],
  )
  return port
}
