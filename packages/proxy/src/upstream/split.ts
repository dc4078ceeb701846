import { createHash } from 'node:crypto'
import type { RequestTarget } from '@havn/http'
import type { RouteTarget } from '@havn/model'
import type { EdgeNotes } from '@havn/plugin-api'
import { formatCookie, readCookie } from './cookie.ts'
import type { UpstreamHandler } from './upstream.ts'

interface Part {
  name: string
  /** As clients may read it. */
  id: string
  weight: number
  handler: UpstreamHandler
}

interface Choice {
  part: Part
  cookie: string | null
}

/**
 * Leads each client to one of several upstreams, by weight, and back to it by its cookie. One whose upstream is no
 * longer among them is led anew.
 *
 * @param random from 0 to below 1.
 */
export function createSplit(
  { parts: given, cookie }: RouteTarget & { type: 'split' },
  handlerOf: (upstream: string) => UpstreamHandler,
  random: () => number = Math.random,
): UpstreamHandler {
  const parts = given.map(({ upstream, weight }): Part => {
    const id = createHash('sha256').update(upstream).digest('base64url').slice(0, 16)
    return { name: upstream, id, weight, handler: handlerOf(upstream) }
  })
  const total = parts.reduce((sum, { weight }) => sum + weight, 0)

  function choose(target: RequestTarget, notes: EdgeNotes): Choice {
    const id = cookie === undefined ? null : readCookie(target, cookie)
    const known = id === null ? undefined : parts.find((part) => part.id === id)
    const part = known ?? draw()
    notes.upstream = part.name
    const isNew = cookie !== undefined && known === undefined
    return { part, cookie: isNew ? formatCookie(cookie, part.id, target) : null }
  }

  function draw(): Part {
    let rest = random() * total
    // The last one with a weight takes what rounding leaves over.
    let drawn = parts[0]!
    for (const part of parts) {
      if (part.weight === 0) continue
      drawn = part
      rest -= part.weight
      if (rest < 0) break
    }
    return drawn
  }

  return {
    forward(exchange) {
      const { part, cookie } = choose(exchange.target, exchange.notes)
      part.handler.forward(exchange, cookie)
    },
    forwardPlain(request, target, tap = null) {
      const { part, cookie } = choose(target, request.notes)
      part.handler.forwardPlain(request, target, tap, cookie)
    },
    tunnel(handshake) {
      const { part, cookie } = choose(handshake.target, handshake.notes)
      part.handler.tunnel(handshake, cookie)
    },
  }
}
