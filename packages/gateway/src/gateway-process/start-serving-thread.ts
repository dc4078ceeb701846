import { GatewayThread } from './gateway-thread.ts'
import type { ServingThread, ServingThreadOptions } from './serving-thread.ts'

/** Starts a thread of the gateway; rejects when its edge, its host or a thread module does not load. */
export function startServingThread(options: ServingThreadOptions): Promise<ServingThread> {
  return GatewayThread.start(options)
}
