import { formatErrorResponse } from '@havn/http'
import type { RequestLimits, RequestTarget } from '@havn/http'
import type {
  EdgeApp,
  EdgeContext,
  EdgeNotes,
  EdgePlainRequest,
  EdgeStatus,
  PluginLogger,
} from '@havn/plugin-api'
import type { EdgeConfig } from '@havn/model'
import type { Route } from '@havn/model'
import { attach, NodeVisitor } from './cache/node-visitor.ts'
import { PlainVisitor } from './cache/plain-visitor.ts'
import { ResponseCache } from './cache/response-cache.ts'
import { Compressor } from './compression/compressor.ts'
import type { EdgeExchange, EdgeHandshake } from './exchange.ts'
import { BucketTable } from './limits/bucket-table.ts'
import { RouteLimits } from './limits/route-limits.ts'
import { RateLimits, retryHeaders, sendTooMany } from './limits/rate-limits.ts'
import { MaintenanceGate } from './maintenance/maintenance-gate.ts'
import { ErrorIntercept } from './pages/error-intercept.ts'
import { ErrorPages } from './pages/error-pages.ts'
import { redirect, respond } from './routes/answer-route.ts'
import { rewritePath } from './routes/path-matcher.ts'
import { createRouter } from './routes/router.ts'
import type { Router } from './routes/router.ts'
import type { ResponseTap } from './response/response-tap.ts'
import { SecurityHeaders } from './security/security-headers.ts'
import { generationsIn } from './shared-memory.ts'
import { createStaticFiles } from './static/static-files.ts'
import type { StaticFileHandler } from './static/static-files.ts'
import { describeServers } from './upstream/describe-servers.ts'
import type { UpstreamHandler } from './upstream/upstream.ts'
import { UpstreamSet } from './upstream/upstream-set.ts'

type NamedRoute = Route & { id: string }

/** Where a request goes; null is the app. */
type Destination = NamedRoute | UpstreamHandler | null

/** What the edge was given, with memory of its own where nobody shares any. */
export type PipelineContext = EdgeContext & Required<Pick<EdgeContext, 'sharedMemory'>>

/** A request's way through the edge by one configuration. */
export class Pipeline {
  /** Null is no limit. */
  readonly connectionsPerClient: number | null
  readonly #errorPages: ErrorPages
  readonly #intercept: ErrorIntercept | null
  readonly #maintenance: MaintenanceGate | null
  readonly #security: SecurityHeaders | null
  readonly #limits: RouteLimits
  readonly #onRateRefused: () => void
  readonly #rates: RateLimits | null
  readonly #compressor: Compressor | null
  readonly #files: StaticFileHandler
  readonly #upstreams: UpstreamSet
  readonly #router: Router<NamedRoute> | null
  readonly #cache: ResponseCache | null
  readonly #app: EdgeApp | null
  readonly #logger: PluginLogger

  /** @param previous the pipeline that this one takes the place of: it keeps what has not changed. */
  constructor(config: EdgeConfig, context: PipelineContext, previous?: Pipeline) {
    this.#errorPages = new ErrorPages(config.errors)
    this.#intercept = ErrorIntercept.create(config.errors)
    this.#maintenance = config.maintenance?.enabled ? new MaintenanceGate(config.maintenance) : null
    this.#security = SecurityHeaders.create(config.security)
    const { rates, connectionsPerClient = null } = config.limits
    this.connectionsPerClient = connectionsPerClient
    this.#rates =
      rates.length > 0 ? new RateLimits(rates, new BucketTable(context.sharedMemory), context.logger) : null
    this.#compressor = config.compression ? new Compressor(config.compression) : null
    this.#files = createStaticFiles({
      folders: config.staticFiles,
      cache: config.fileCache,
      logger: context.logger,
    })
    this.#upstreams = UpstreamSet.create(config, context, previous && previous.#upstreams)
    this.#router = config.routes.length > 0 ? createRouter<NamedRoute>(config.routes, named) : null
    this.#limits = new RouteLimits(config, this.#router)
    this.#onRateRefused = () => context.onRefused?.('rate')
    this.#app = context.app ?? null
    this.#logger = context.logger
    this.#cache = config.cache
      ? new ResponseCache({
          config: config.cache,
          generations: generationsIn(context.sharedMemory),
          logger: context.logger,
          askOrigin: (exchange) => this.#sendOn(exchange),
        })
      : null
    this.#upstreams.start()
  }

  /** False when the request is the app's; true when it is too, but the edge has something to add or to count. */
  wants(target: RequestTarget): boolean | 'plain' {
    if (this.#maintenance?.closes(target)) return 'plain'
    if (this.#files.owns(target.path) || this.#find(target) !== null) return 'plain'
    if (this.#isCached(target))
      return this.#app!.takesPlain || this.#cache!.hasAnswer(target) ? 'plain' : true
    return this.#hasPart(target)
  }

  /** Limits of a request beside the listener's; null where only those hold. */
  limitsOf(target: RequestTarget): RequestLimits | null {
    return this.#limits.find(target, (path) => this.#files.owns(path))
  }

  /** The site's own page for an error; null where it has none. */
  errorPage(status: number): Buffer | null {
    return this.#errorPages.find(status)
  }

  /** Answers the request, or returns false, having at most set headers. */
  serve(exchange: EdgeExchange): boolean {
    const { request, response, target, notes } = exchange
    this.#security?.set(response, target.scheme)
    this.#compressor?.attach(request, response)
    if (this.#maintenance?.closes(target)) {
      this.#maintenance.answer(response)
      return true
    }
    const retryAfterS = this.#refuseRate(target, notes)
    if (retryAfterS !== null) {
      sendTooMany(response, retryAfterS)
      return true
    }
    if (this.#files.handle(request, response, target)) {
      notes.isStatic = true
      return true
    }
    this.#intercept?.attach(response)
    if (this.#isCached(target)) {
      const sendOn = () => this.#sendOn(exchange)
      this.#cache!.visit(new NodeVisitor({ exchange, logger: this.#logger, sendOn }))
      return true
    }
    const destination = this.#find(target)
    if (destination === null) return false
    this.#goTo(destination, exchange)
    return true
  }

  /** The same for a request of the plain lane, which {@link wants} must have claimed. */
  servePlain(plain: EdgePlainRequest): void {
    const { exchange, notes } = plain
    const { target } = exchange
    if (this.#isStoredBare(target)) {
      const sendOn = (tap: ResponseTap | null, status: string | null) => this.#sendOnPlain(plain, tap, status)
      return this.#cache!.visit(new PlainVisitor({ plain, logger: this.#logger, sendOn }))
    }
    if (this.#isBare(target)) {
      const isStatic = this.#files.owns(target.path)
      if (isStatic) notes.isStatic = true
      if (this.#files.handlePlain(exchange)) return
      if (!isStatic && this.#forwardPlain(plain, null)) return
    }
    this.serve(toExchange(plain))
  }

  /** The same for a WebSocket handshake. */
  upgrade(handshake: EdgeHandshake): boolean {
    const { socket, target, notes } = handshake
    if (this.#maintenance?.closes(target)) return refuse(503, this.#maintenance.retryHeaders)
    const retryAfterS = this.#refuseRate(target, notes)
    if (retryAfterS !== null) return refuse(429, retryHeaders(retryAfterS))
    if (this.#files.owns(target.path)) return refuse(404)
    const destination = this.#find(target)
    if (destination === null) return false
    noteDestination(destination, notes)
    if ('forward' in destination) {
      destination.tunnel(handshake)
      return true
    }
    const upstream = this.#upstreams.handlerOf(destination.to)
    if (upstream === null) return refuse(404)
    upstream.tunnel({ ...handshake, target: targetFor(destination, target) })
    return true

    function refuse(status: number, headers?: Record<string, string>): true {
      notes.status = status
      socket.end(formatErrorResponse(status, headers))
      return true
    }
  }

  /** Counts the request: the seconds after which it may come again, or null when it keeps its rates. */
  #refuseRate(target: RequestTarget, notes: EdgeNotes): number | null {
    const retryAfterS = this.#rates?.refuse(target) ?? null
    if (retryAfterS === null) return null
    notes.refused = 'rate'
    this.#onRateRefused()
    return retryAfterS
  }

  /** Lets go of what the pipeline that follows has no use for, once the requests that began there are answered. */
  retire(successor: Pipeline): Promise<void> {
    return this.#upstreams.retire(successor.#upstreams)
  }

  /** @param retiring pipelines that this one took the place of, and that are not done. */
  status(retiring: Iterable<Pipeline>): EdgeStatus {
    const before = [...retiring].map((pipeline) => pipeline.#upstreams)
    return { servers: describeServers(this.#upstreams, before) }
  }

  close(): void {
    this.#upstreams.close()
  }

  /** No step of {@link serve} before files and destination concerns the request: they may answer without node:http. */
  #isBare(target: RequestTarget): boolean {
    return !this.#hasPart(target) && !this.#maintenance?.closes(target)
  }

  /** A stored response can go out as it is: it has all that the edge adds to one. */
  #isStoredBare(target: RequestTarget): boolean {
    if (this.#compressor !== null || this.#intercept !== null || !this.#isCached(target)) return false
    if (this.#rates?.concern(target) || this.#maintenance?.closes(target)) return false
    return !this.#files.owns(target.path)
  }

  /** The cache has to do with it, and there is somebody whose answers it may keep. */
  #isCached(target: RequestTarget): boolean {
    if (this.#cache === null || !this.#cache.concerns(target)) return false
    const destination = this.#find(target)
    if (destination === null) return this.#app !== null
    return 'forward' in destination || destination.to.type === 'upstream'
  }

  /** Whoever answers, the edge adds something to the response, or counts the request. */
  #hasPart(target: RequestTarget): boolean {
    if (this.#security !== null || this.#compressor !== null || this.#intercept !== null) return true
    return this.#rates?.concern(target) ?? false
  }

  #find(target: RequestTarget): Destination {
    const route = this.#router?.find(target) ?? null
    if (route === null) return this.#upstreams.rest
    return route.to.type === 'app' ? null : route
  }

  /** Gives a request that the cache had claimed to whom it is for. */
  #sendOn(exchange: EdgeExchange): void {
    const { request, response, target, plain } = exchange
    const destination = this.#find(target)
    if (destination !== null) this.#goTo(destination, exchange)
    else if (plain) this.#app!.handlePlain(plain)
    else this.#app!.handle(request, response, target)
  }

  #sendOnPlain(plain: EdgePlainRequest, tap: ResponseTap | null, cacheStatus: string | null): void {
    const { target } = plain.exchange
    if (this.#security === null && cacheStatus === null) {
      if (this.#forwardPlain(plain, tap)) return
      if (tap === null) return this.#app!.handlePlain(plain)
    }
    const exchange = toExchange(plain)
    this.#security?.set(exchange.response, target.scheme)
    attach(exchange.response, tap, cacheStatus)
    this.#sendOn(exchange)
  }

  /** Forwards the request without node:http's objects, where it is an upstream's. */
  #forwardPlain(plain: EdgePlainRequest, tap: ResponseTap | null): boolean {
    const { target } = plain.exchange
    const destination = this.#find(target)
    if (destination === null) return false
    noteDestination(destination, plain.notes)
    if ('forward' in destination) {
      destination.forwardPlain(plain, target, tap)
      return true
    }
    const upstream = this.#upstreams.handlerOf(destination.to)
    if (upstream === null) return false
    upstream.forwardPlain(plain, targetFor(destination, target), tap)
    return true
  }

  #goTo(destination: NamedRoute | UpstreamHandler, exchange: EdgeExchange): void {
    noteDestination(destination, exchange.notes)
    if ('forward' in destination) destination.forward(exchange)
    else this.#follow(destination, exchange)
  }

  #follow(route: Route, exchange: EdgeExchange): void {
    const { to } = route
    const { response, target } = exchange
    const upstream = this.#upstreams.handlerOf(to)
    if (upstream !== null) upstream.forward({ ...exchange, target: targetFor(route, target) })
    else if (to.type === 'redirect') redirect(response, target, to)
    else if (to.type === 'respond') respond(response, to)
  }
}

/** A route without a name is called by its place in the list. */
function named(route: Route, at: number): NamedRoute {
  return { ...route, id: route.id ?? `routes.${at}` }
}

function noteDestination(destination: Exclude<Destination, null>, notes: EdgeNotes): void {
  if ('forward' in destination) notes.upstream = 'upstream'
  else {
    notes.route = destination.id
    if (destination.to.type === 'upstream') notes.upstream = destination.to.upstream
  }
}

function toExchange(plain: EdgePlainRequest): EdgeExchange {
  const { notes } = plain
  const { response, target } = plain.exchange
  return { request: response.req, response, target, notes, traceHeaders: () => plain.traceHeaders(), plain }
}

/** What the upstream is asked for. It learns what was replaced by X-Forwarded-Prefix. */
function targetFor({ match, rewritePrefix }: Route, target: RequestTarget): RequestTarget {
  if (rewritePrefix === undefined) return target
  const prefix = match.path.endsWith('/') ? match.path.slice(0, -1) : match.path
  const headers = prefix === '' ? target.headers : withPrefix(target.headers, prefix)
  return { ...target, path: rewritePath(target.path, match.path, rewritePrefix), headers }
}

/** What a trusted proxy has taken off stands before what is taken off here: together they are one prefix. */
function withPrefix(headers: readonly string[], prefix: string): string[] {
  const kept: string[] = []
  let before = ''
  for (let at = 0; at < headers.length; at += 2) {
    const value = headers[at + 1]!
    if (headers[at]!.toLowerCase() !== 'x-forwarded-prefix') kept.push(headers[at]!, value)
    else if (value.startsWith('/')) before += value.replace(/\/+$/, '')
  }
  return [...kept, 'X-Forwarded-Prefix', before + prefix]
}
