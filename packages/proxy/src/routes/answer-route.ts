import type { ServerResponse } from 'node:http'
import type { RequestTarget } from '@havn/http'
import type { RouteTarget } from '@havn/model'
import { hostName } from './router.ts'

/** Sends a request elsewhere. */
export function redirect(
  response: ServerResponse,
  target: RequestTarget,
  to: RouteTarget & { type: 'redirect' },
): void {
  const location = expandLocation(to.location, target)
  response.writeHead(to.status, { location, 'content-length': 0 }).end()
}

/** Answers with the route's own words. */
export function respond(response: ServerResponse, to: RouteTarget & { type: 'respond' }): void {
  const hasBody = to.status !== 204 && to.status !== 304
  const headers = { 'content-type': to.contentType, 'content-length': Buffer.byteLength(to.body) }
  response.writeHead(to.status, hasBody ? headers : {}).end(hasBody ? to.body : undefined)
}

/** Puts the request's own parts into a redirect's template. */
export function expandLocation(template: string, target: RequestTarget): string {
  // A path may begin with two slashes, which a client would read as an authority.
  const path = template.startsWith('{path}') ? target.path.replace(/^\/{2,}/, '/') : target.path
  const parts: Record<string, string> = {
    scheme: target.scheme,
    host: hostName(target.host),
    path,
    query: target.query === '' ? '' : `?${target.query}`,
  }
  return template.replaceAll(/\{(scheme|host|path|query)\}/g, (_whole, name: string) => parts[name]!)
}
