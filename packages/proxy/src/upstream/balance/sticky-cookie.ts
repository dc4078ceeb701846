import { formatCookie, readCookie } from '../cookie.ts'
import type { Balancer } from './balancer.ts'
import { createLeastConnections } from './least-connections.ts'

/**
 * The server that the client's cookie names. Where there is none, or that server is gone or out, the least busy one,
 * which the client keeps from then on.
 */
export function createSticky(cookie: string): Balancer {
  const fallback = createLeastConnections()
  return {
    pick(candidates, target) {
      const id = readCookie(target, cookie)
      if (id !== null) for (const candidate of candidates) if (candidate.id === id) return candidate
      return fallback.pick(candidates, target)
    },
    cookieFor: ({ id }, target) =>
      readCookie(target, cookie) === id ? null : formatCookie(cookie, id, target),
  }
}
