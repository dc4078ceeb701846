import type { GatewayConfig } from '../config/gateway-config.ts'
import { errors } from '../errors.ts'
import type { ProbeOutcome } from '../thread/health-probe.ts'

/** @throws HAVN_ERR_APP_UNHEALTHY with what a probe of the health path has seen. */
export async function assertHealthy(
  { path, host }: GatewayConfig['health'],
  probe: () => Promise<ProbeOutcome>,
): Promise<void> {
  const { status, error } = await probe()
  if (status !== undefined && status < 500) return
  throw errors.HAVN_ERR_APP_UNHEALTHY({ path, host, seen: error ?? `${status}` })
}
