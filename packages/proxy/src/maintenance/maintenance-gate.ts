import type { ServerResponse } from 'node:http'
import { createPeerTrust, isGrpc, sendError } from '@havn/http'
import type { PeerTrust, RequestTarget } from '@havn/http'
import type { Maintenance } from '@havn/model'
import { errors } from '../errors.ts'
import { readPage } from '../pages/read-page.ts'
import { pathMatcher } from '../routes/path-matcher.ts'

const MESSAGE = 'The site is under maintenance. Please come again in a little while.'

/** Answers in place of everything else while the site is closed. */
export class MaintenanceGate {
  readonly #page: Buffer | null
  readonly #retryAfter: string
  readonly #isAllowed: PeerTrust
  readonly #exceptions: readonly ((path: string) => boolean)[]

  /** @throws HAVN_ERR_EDGE_CONFIG for a page that can't be read and for what is no address. */
  constructor({ page, retryAfterS, allow, except }: Maintenance) {
    this.#page = page === undefined ? null : readPage(page, 'maintenance.page')
    this.#retryAfter = String(retryAfterS)
    this.#isAllowed = parseAllowed(allow)
    this.#exceptions = except.map((path) => pathMatcher(path, false))
  }

  /** True for a request that has to wait. */
  closes({ path, clientAddress }: RequestTarget): boolean {
    return !this.#exceptions.some((matches) => matches(path)) && !this.#isAllowed(clientAddress)
  }

  answer(response: ServerResponse): void {
    const { headers } = response.req
    const close = headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined
    const retry = this.retryHeaders
    if (this.#page === null || isGrpc(response.req) || !takesHtml(headers.accept)) {
      sendError(response, 503, { message: MESSAGE, headers: retry, close })
      return
    }
    response.writeHead(503, {
      'content-type': 'text/html; charset=utf-8',
      'content-length': this.#page.byteLength,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      ...retry,
      ...(close && { connection: 'close' }),
    })
    response.end(response.req.method === 'HEAD' ? undefined : this.#page)
  }

  /** When clients may come again, whatever they asked for. */
  get retryHeaders(): Record<string, string> {
    return { 'Retry-After': this.#retryAfter }
  }
}

function parseAllowed(entries: readonly string[]): PeerTrust {
  for (const [index, entry] of entries.entries())
    try {
      createPeerTrust([entry])
    } catch (cause) {
      const problem = `"${entry}" is neither an address nor a CIDR nor unix`
      throw errors.HAVN_ERR_EDGE_CONFIG({ path: `maintenance.allow.${index}`, problem }, { cause })
    }
  return createPeerTrust(entries)
}

/** Programs that name no HTML get the short answer. */
function takesHtml(accept: string | undefined): boolean {
  return accept === undefined || /\btext\/(?:html|\*)|\*\/\*/i.test(accept)
}
