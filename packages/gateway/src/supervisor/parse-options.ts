import { findConflict } from '../config/find-conflict.ts'
import { gatewayConfigSchema, type GatewayConfig, type GatewayOptions } from '../config/gateway-config.ts'
import { errors } from '../errors.ts'

/**
 * Validates a gateway's options and fills in defaults. A thread without a worker would have nowhere to send its
 * requests: a Python app has at most as many threads as workers. For tasks it is one.
 *
 * @throws HAVN_ERR_GATEWAY_CONFIG, naming each key and what is wrong with it.
 */
export function parseGatewayOptions(options: GatewayOptions): GatewayConfig {
  const parsed = gatewayConfigSchema.safeParse(options)
  if (!parsed.success) {
    const problems = parsed.error.issues.map(
      ({ path, message }) => `${path.join('.') || 'options'}: ${message}`,
    )
    throw errors.HAVN_ERR_GATEWAY_CONFIG({ problems: problems.join('; ') })
  }
  const config = parsed.data
  const conflict = findConflict(config)
  if (conflict !== undefined) throw errors.HAVN_ERR_GATEWAY_CONFIG({ problems: conflict })
  // One thread accepts for all that run tasks: that is what makes their queue one.
  if (config.dispatch === 'task') return { ...config, threads: 1 }
  if (config.app.language !== 'python') return config
  return { ...config, threads: Math.min(config.threads, config.workers) }
}
