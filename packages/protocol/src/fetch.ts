/** A function of the Fetch standard's shape: a `Request` in, a `Response` out. */
export type FetchHandler = (request: Request) => Response | Promise<Response>

/** What Hono, Bun, Deno and service workers export: an object with a `fetch` method. */
export interface FetchObject {
  fetch: FetchHandler
}

/** The function of a handler in either form, bound to its object. */
export function toFetchHandler(handler: FetchHandler | FetchObject): FetchHandler {
  return 'fetch' in handler ? (request) => handler.fetch(request) : handler
}
