import { isDeepStrictEqual } from 'node:util'
import type { EdgeContext } from '@havn/plugin-api'
import { serversOf, upstreamTlsSchema } from '@havn/model'
import type { EdgeConfig, Route, RouteTarget, Upstream } from '@havn/model'
import { loadTlsMaterial } from './client/tls-material.ts'
import type { TlsMaterial } from './client/tls-material.ts'
import { createSplit } from './split.ts'
import { createUpstream } from './upstream.ts'
import type { UpstreamHandler } from './upstream.ts'
import { UpstreamGroup } from './upstream-group.ts'

/** Where everything goes that no route is for. No upstream of a configuration has this name. */
const REST = ''

interface Member {
  group: UpstreamGroup
  handler: UpstreamHandler
}

/** The upstreams of one configuration. What the next one has too lives on, with its connections. */
export class UpstreamSet {
  readonly #members: ReadonlyMap<string, Member>
  readonly #splits: ReadonlyMap<RouteTarget, UpstreamHandler>

  private constructor(members: ReadonlyMap<string, Member>, routes: readonly Route[]) {
    this.#members = members
    this.#splits = new Map(
      routes.flatMap(({ to }) =>
        to.type === 'split' ? [[to, createSplit(to, (name) => this.#members.get(name)!.handler)]] : [],
      ),
    )
  }

  /** @param previous the set that this one takes the place of. */
  static create(config: EdgeConfig, context: EdgeContext, previous?: UpstreamSet): UpstreamSet {
    const configs = Object.entries(config.upstreams)
    if (config.upstream !== undefined) configs.push([REST, config.upstream])
    return new UpstreamSet(
      new Map(
        configs.map(([name, own]) => {
          const known = previous === undefined ? undefined : previous.#members.get(name)
          const tls = tlsOf(own, name)
          const isSame =
            isDeepStrictEqual(known?.group.config, own) && isDeepStrictEqual(known?.group.tls, tls)
          if (known !== undefined && isSame) return [name, known]
          const shown = name || 'upstream'
          if (tls?.isVerified === false)
            context.logger.warn(
              { upstream: shown },
              'Certificates of an upstream are not verified: tls.insecure',
            )
          const group = new UpstreamGroup({ name: shown, config: own, tls, context, previous: known?.group })
          return [name, { group, handler: createUpstream(group, context) }]
        }),
      ),
      config.routes,
    )
  }

  /** Begins what goes on beside requests, in what the previous set did not have. */
  start(): void {
    for (const { group } of this.#members.values()) group.start()
  }

  groups(): UpstreamGroup[] {
    return [...this.#members.values()].map(({ group }) => group)
  }

  /** The upstream for everything else; null when there is none. */
  get rest(): UpstreamHandler | null {
    return this.#members.get(REST)?.handler ?? null
  }

  /** Whoever a route of the configuration leads to; null when that is no upstream. */
  handlerOf(to: RouteTarget): UpstreamHandler | null {
    if (to.type === 'split') return this.#splits.get(to)!
    return to.type === 'upstream' ? this.#members.get(to.upstream)!.handler : null
  }

  /** Lets what the set that follows does not have answer what it has, and closes it. */
  async retire(successor: UpstreamSet): Promise<void> {
    await Promise.all(
      [...this.#members].map(([name, { group }]) => {
        const next = successor.#members.get(name)?.group ?? null
        return next === group ? undefined : group.retire(next)
      }),
    )
  }

  close(): void {
    for (const { group } of this.#members.values()) group.close()
  }
}

/** Files are read each time: a reload brings renewed certificates, whether or not the configuration has changed. */
function tlsOf(config: Upstream, name: string): TlsMaterial | null {
  if (!serversOf(config).some(({ isTls }) => isTls)) return null
  const place = name === REST ? 'upstream.tls' : `upstreams.${name}.tls`
  return loadTlsMaterial(upstreamTlsSchema.parse(config.tls ?? {}), place)
}
