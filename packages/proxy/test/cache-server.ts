import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { CacheOutcome, EdgeContext, EdgeNotes } from '@havn/plugin-api'
import { onTestFinished } from 'vitest'
import type { EdgeOptions } from '../src/index.ts'
import { exchange, get, portOf, startEdge } from './edge-server.ts'
import type { RawAnswer } from './edge-server.ts'

/** Where the origin is, and what else the edge does on the way. */
export const forms = ['upstream', 'app', 'all'] as const
export type Form = (typeof forms)[number]

export interface CachedSite extends AsyncDisposable {
  port: number
  outcomes: CacheOutcome[]
  update(config: EdgeOptions['cache']): Promise<void>
  ask(path: string, headers?: Record<string, string>, method?: string): Promise<RawAnswer>
}

/**
 * An edge with a cache: `upstream` and `all` before a server, all of it by node:http's objects in the latter; `app` in
 * one thread with the app that answers.
 */
export async function startCachedSite(
  origin: RequestListener,
  cache: EdgeOptions['cache'] = {},
  form: Form = 'upstream',
): Promise<CachedSite> {
  const outcomes: CacheOutcome[] = []
  const notes = {
    set cache(outcome: CacheOutcome) {
      outcomes.push(outcome)
    },
  } as EdgeNotes
  const context: Partial<EdgeContext> = { notes: () => notes }
  let config: EdgeOptions = {}
  let close = () => {}
  if (form === 'app') {
    context.app = {
      takesPlain: false,
      handle: (request: IncomingMessage, response: ServerResponse) => void origin(request, response),
      handlePlain: () => {
        throw new Error('the app takes no plain requests')
      },
    }
  } else {
    const server = createServer(origin)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    close = () => (server.closeAllConnections(), void server.close())
    config = { upstream: { address: { type: 'tcp', host: '127.0.0.1', port: portOf(server) } } }
    if (form === 'all') {
      const limits = { rates: [{ requests: 1_000_000 }] }
      config = { ...config, compression: { minBytes: 0 }, security: { profile: 'basic' }, limits }
    }
  }
  const edge = await startEdge({ ...config, cache }, context)
  return {
    port: edge.port,
    outcomes,
    update: async (next) => void (await edge.update({ ...config, cache: next })),
    ask: async (path, headers, method) => unchunked(await exchange(edge.port, get(path, headers, method))),
    async [Symbol.asyncDispose]() {
      await edge[Symbol.asyncDispose]()
      close()
    },
  }
}

/** The body as its writer wrote it, as far as it came. */
function unchunked(answer: RawAnswer): RawAnswer {
  if (answer.headers['transfer-encoding'] === undefined) return answer
  const parts: Buffer[] = []
  for (let at = 0; ;) {
    const line = answer.body.indexOf('\r\n', at)
    const size = line < 0 ? 0 : parseInt(answer.body.toString('latin1', at, line), 16)
    if (!(size > 0)) break
    parts.push(answer.body.subarray(line + 2, line + 2 + size))
    at = line + 2 + size + 2
  }
  const body = Buffer.concat(parts)
  return { ...answer, body, text: body.toString('latin1') }
}

/** The same, ending with the test. */
export async function useCachedSite(...args: Parameters<typeof startCachedSite>): Promise<CachedSite> {
  const site = await startCachedSite(...args)
  onTestFinished(() => site[Symbol.asyncDispose]())
  return site
}
