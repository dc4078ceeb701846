import { GatewayThread } from './gateway-thread.ts'
import { ProcessThread } from './process-thread.ts'
import type { ServingThread, ServingThreadOptions } from './serving-thread.ts'

/**
 * Starts what serves one row of descriptors, where the configuration wants it; rejects when its edge, its host or a
 * thread module does not load.
 */
export function startServingThread(options: ServingThreadOptions): Promise<ServingThread> {
  return options.input.config.isolation === 'process'
    ? ProcessThread.start(options)
    : GatewayThread.start(options)
}
