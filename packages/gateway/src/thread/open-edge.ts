import { HavnError, toErrorJson } from '@havn/model/errors'
import type { EdgeContext, EdgeHandler, EdgeModule } from '@havn/plugin-api'
import type { GatewayConfig } from '../config/gateway-config.ts'
import { errors } from '../errors.ts'
import type { EdgeUpdate } from './messages.ts'

/**
 * Loads this thread's edge.
 *
 * @throws HAVN_ERR_GATEWAY_EDGE, or the edge's own error.
 */
export async function openEdge(config: GatewayConfig, context: EdgeContext): Promise<EdgeHandler | null> {
  if (config.edge === undefined) return null
  const { module, config: edgeConfig } = config.edge
  const refuse = (reason: string, cause?: unknown) =>
    errors.HAVN_ERR_GATEWAY_EDGE({ module, reason }, { cause })
  const loaded = await import(module).catch((cause: Error) => {
    throw refuse(cause.message, cause)
  })
  const { createEdge } = loaded as Partial<EdgeModule>
  if (typeof createEdge !== 'function') throw refuse('it exports no createEdge')
  try {
    return await createEdge(edgeConfig, context)
  } catch (cause) {
    throw cause instanceof HavnError ? cause : refuse((cause as Error).message, cause)
  }
}

/** Gives an edge that serves a new configuration. Never rejects. */
export async function updateEdge(edge: EdgeHandler | null, config: unknown): Promise<EdgeUpdate> {
  if (edge?.update === undefined) return { isUpdated: false }
  try {
    await edge.update(config)
    return { isUpdated: true }
  } catch (error) {
    return { isUpdated: false, error: toErrorJson(error) }
  }
}
