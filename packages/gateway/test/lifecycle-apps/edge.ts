import type { EdgeContext, EdgeHandler } from '@havn/plugin-api'

/** Answers what begins with its prefix, and throws at one path. */
export function createEdge(config: unknown, context: EdgeContext): EdgeHandler {
  const { prefix } = config as { prefix: string }
  return {
    handle(request, response, target) {
      if (target.path === '/throw') throw new Error('an edge that fails')
      if (!target.path.startsWith(prefix)) return false
      response.end(
        `edge ${context.traceHeaders(request)[0]} ${String((globalThis as { marker?: string }).marker)}`,
      )
      return true
    },
    close: async () => {},
  }
}
