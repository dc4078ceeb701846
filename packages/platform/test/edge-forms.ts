import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { startSupervisor } from '@havn/gateway'
import type { GatewayHandle, GatewayOptions } from '@havn/gateway'
import type { EdgeOptions } from '@havn/proxy'
import { edgeModule } from '@havn/proxy'
import { onTestFinished } from 'vitest'
import handle from '../../gateway/test/fault-apps/fault.ts'
import { faultApps } from '../../gateway/test/fault-setup.ts'
import type { FaultInterface } from '../../gateway/test/fault-setup.ts'
import { python } from '../../gateway/test/lifecycle-setup.ts'
import { planEdge } from '../src/builtin/edge-config.ts'

/** Where an edge runs: in the workers of a gateway with an app, or alone before a server. */
export type Form = FaultInterface | 'alone'

/** Those that this machine has the parts for. The app is the same in each. */
export const forms: readonly Form[] = [
  'alone',
  'node',
  ...(python === null ? [] : (['wsgi', 'asgi'] as const)),
]

/** Starts the edge in one of its forms, on a port of the kernel's choice. It ends with the test. */
export async function startForm(
  form: Form,
  edge: EdgeOptions,
  overrides: Partial<GatewayOptions> = {},
): Promise<GatewayHandle & { port: number; toConfig(edge: EdgeOptions): GatewayOptions }> {
  const upstream = form === 'alone' ? { address: await startServer() } : undefined
  const toConfig = (asked: EdgeOptions): GatewayOptions => ({
    listeners: [{ type: 'tcp', host: '127.0.0.1', port: 0 }],
    app: form === 'alone' ? { language: 'none' } : faultApps[form],
    edge: { module: edgeModule, config: planEdge({ app: { staticFiles: [] }, edge: asked, upstream }) },
    log: { level: 'silent' },
    ...overrides,
  })
  const gateway = await startSupervisor(toConfig(edge))
  onTestFinished(() => gateway.stop({ force: true }))
  const { port } = gateway.addresses[0] as { port: number }
  return { ...gateway, port, toConfig }
}

async function startServer() {
  const server = createServer(handle).listen(0, '127.0.0.1')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  await once(server, 'listening')
  return { type: 'tcp' as const, host: '127.0.0.1', port: (server.address() as AddressInfo).port }
}
