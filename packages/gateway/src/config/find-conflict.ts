import { formatAddress } from '@havn/model/address'
import type { GatewayConfig } from './gateway-config.ts'

/** What is wrong with keys that are right each for itself, but not together; undefined when all is well. */
export function findConflict(config: GatewayConfig): string | undefined {
  return findTlsConflict(config) ?? findAppConflict(config)
}

function findTlsConflict({ listeners, tls }: GatewayConfig): string | undefined {
  if (tls === undefined) return undefined
  if (!listeners.some(({ type }) => type === 'tcp'))
    return 'tls is for TCP addresses, and all listeners are Unix sockets'
  if (tls.certificates.length > 0 === (tls.source !== undefined))
    return 'tls.certificates: needs at least one, or else tls.source, which gives them, but not both'
  const bound = new Set(listeners.map(formatAddress))
  const twice = tls.redirectFrom.find(
    (address) => !(address.type === 'tcp' && address.port === 0) && bound.has(formatAddress(address)),
  )
  return twice && `tls.redirectFrom: ${formatAddress(twice)} is among the listeners, which speak TLS`
}

function findAppConflict({ app, isolation, dispatch }: GatewayConfig): string | undefined {
  if (app.language !== 'node') {
    const own = app.language === 'python' ? 'a Python app has processes of its own' : 'there is no app'
    if (isolation === 'process') return `isolation: "process" is for JavaScript apps, and ${own}`
    if (dispatch === 'task') return `dispatch: "task" is for JavaScript apps, and ${own}`
    return undefined
  }
  if (dispatch === 'inline') return undefined
  if (isolation === 'process') {
    return 'dispatch: "task" runs the app in threads, and isolation: "process" asks for processes'
  }
  if (app.interface === 'asgi')
    return 'dispatch: "task" runs whole requests, which ASGI apps are not made for'
  return undefined
}
