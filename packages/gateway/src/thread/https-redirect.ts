import { formatErrorResponse, sendError, type RequestTarget } from '@havn/http'
import type { EdgeHandler } from '@havn/plugin-api'
import { CHALLENGES } from './answer-challenges.ts'

const PERMANENT_REDIRECT = 308

/**
 * Sends whoever comes over http to https, under the same name and path. Before the edge: only challenges of
 * certificate authorities go on to it, and what a trusted proxy says came over https.
 */
export function createHttpsRedirect(edge: EdgeHandler | null, httpsPort: number): EdgeHandler {
  const locate = (target: RequestTarget) => toHttps(target, httpsPort)
  return {
    ...(edge?.handlePlain !== undefined && { handlePlain: (plain) => edge.handlePlain!(plain) }),
    ...(edge?.errorPage !== undefined && { errorPage: (status) => edge.errorPage!(status) }),
    wants(target) {
      if (isSentOn(target)) return true
      return edge !== null && (edge.wants?.(target) ?? true)
    },
    handle(request, response, target) {
      if (!isSentOn(target)) return edge?.handle(request, response, target) ?? false
      const location = locate(target)
      if (location === null) sendError(response, 400, { close: true })
      else sendError(response, PERMANENT_REDIRECT, { close: true, headers: { location } })
      return true
    },
    upgrade(request, socket, head, target) {
      if (!isSentOn(target)) return edge?.upgrade?.(request, socket, head, target) ?? false
      const location = locate(target)
      socket.end(
        location === null
          ? formatErrorResponse(400)
          : formatErrorResponse(PERMANENT_REDIRECT, { Location: location }),
      )
      return true
    },
    // The edge is another's to close.
    close: async () => {},
  }
}

function isSentOn({ scheme, path }: RequestTarget): boolean {
  return scheme === 'http' && !path.startsWith(CHALLENGES)
}

/** Null for HTTP/1.0 without a Host: there is no name to send it to. */
function toHttps({ host, path, query }: RequestTarget, httpsPort: number): string | null {
  if (host === '') return null
  const port = httpsPort === 443 ? '' : `:${httpsPort}`
  return `https://${host.replace(/:\d*$/, '')}${port}${path}${query === '' ? '' : `?${query}`}`
}
