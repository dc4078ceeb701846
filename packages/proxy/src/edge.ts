import { setTimeout as sleep } from 'node:timers/promises'
import type { EdgeContext, EdgeHandler } from '@havn/plugin-api'
import { parseEdgeConfig } from './config/parse-edge-config.ts'
import { Pipeline } from './pipeline.ts'
import { SHARED_BYTES } from './shared-memory.ts'

/** How long an update may wait for answers of upstreams that are no longer there. */
const RETIRE_MS = 10_000

/**
 * The edge: what is closed or asked for too often is refused; then come static files, the most specific route, and the
 * upstream for everything else, where there is one. What is left gets at most headers set.
 *
 * @throws the errors of {@link parseEdgeConfig}; from `update` too, which has then changed nothing.
 */
export function createEdge(config: unknown, given: EdgeContext): EdgeHandler {
  const context = {
    ...given,
    notes: given.notes ?? (() => undefined),
    sharedMemory: given.sharedMemory ?? new SharedArrayBuffer(SHARED_BYTES),
  }
  let current = new Pipeline(parseEdgeConfig(config), context)
  const retiring = new Set<Pipeline>()
  return {
    limitsOf: (target) => current.limitsOf(target),
    connectionsPerClient: () => current.connectionsPerClient,
    errorPage: (status) => current.errorPage(status),
    wants: (target) => current.wants(target),
    handlePlain: (plain) => current.servePlain(plain),
    handle: (request, response, target) =>
      current.serve({
        request,
        response,
        target,
        notes: context.notes(request) ?? {},
        traceHeaders: () => context.traceHeaders(request),
      }),
    upgrade: (request, socket, head, target) =>
      current.upgrade({ request, socket, head, target, notes: context.notes(request) ?? {} }),
    async update(next) {
      const previous = current
      current = new Pipeline(parseEdgeConfig(next), context, previous)
      retiring.add(previous)
      const retired = previous.retire(current).finally(() => retiring.delete(previous))
      const waiting = new AbortController()
      const late = sleep(RETIRE_MS, undefined, waiting).catch(() => {})
      await Promise.race([retired, late])
      waiting.abort()
    },
    status: () => current.status(retiring),
    async close() {
      current.close()
    },
  }
}
