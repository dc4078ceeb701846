import { describe, ProtocolError } from '../errors.ts'
import type { Handler, HandlerRequest, HandlerResponse } from './types.ts'

/**
 * Django's form: takes the next handler, returns a handler. In a chain of the other mode it cannot work, since
 * JavaScript cannot block for a promise; {@link AroundMiddleware} and {@link HookMiddleware} work in both.
 */
export interface MiddlewareFactory {
  (getResponse: Handler): Handler
  /** It can wrap a synchronous handler. True by default. */
  syncCapable?: boolean
  /** It can wrap a handler that returns promises. False by default. */
  asyncCapable?: boolean
}

/**
 * Middleware as one straight line for both modes: it yields the request, and is given the response.
 *
 * @example
 * const timing: AroundMiddleware = {
 *   *around(request) {
 *     const start = performance.now()
 *     const response = yield request
 *     console.log(request.path, performance.now() - start)
 *     return response
 *   },
 * }
 */
export interface AroundMiddleware {
  around(request: HandlerRequest): Generator<HandlerRequest, HandlerResponse, HandlerResponse>
}

/** Middleware as steps; an async step makes the chain outside of it async. */
export interface HookMiddleware {
  /** A response ends the chain here. */
  processRequest?(request: HandlerRequest): Answer
  processResponse?(
    request: HandlerRequest,
    response: HandlerResponse,
  ): HandlerResponse | Promise<HandlerResponse>
  /** The view has thrown: a response replaces the error. */
  processException?(request: HandlerRequest, error: unknown): Answer
}

/** A middleware in one of its three forms. */
export type Middleware = MiddlewareFactory | AroundMiddleware | HookMiddleware

type Answer = HandlerResponse | undefined | void | Promise<HandlerResponse | undefined | void>

/** What makes a chain. */
export interface ChainOptions {
  getResponse: Handler
  /** It returns promises without being declared `async`. */
  viewIsAsync?: boolean
  /** The first is the outermost. */
  middleware: readonly Middleware[]
  /** Turns what a layer throws into a response, so that the layers outside of it see a response. */
  respondTo(error: unknown, request: HandlerRequest): HandlerResponse
}

/** A chain; `isAsync` says whether any layer is an async function. */
export interface Chain {
  handler: Handler
  isAsync: boolean
}

/**
 * Builds the chain from the inside out. Synchronous layers stay synchronous as long as all inside of them are;
 * around the first async layer everything is async. Throws `HAVN_ERR_HANDLER_ASYNC_IN_SYNC` for a factory that
 * cannot wrap what is inside of it.
 */
export function createChain({
  getResponse,
  viewIsAsync = false,
  middleware,
  respondTo,
}: ChainOptions): Chain {
  const layers = middleware.toReversed()
  const exceptionHooks = layers.filter((layer) => 'processException' in layer) as HookMiddleware[]
  const hooksAreAsync = exceptionHooks.some((layer) => isAsyncFunction(layer.processException))
  let isAsync = viewIsAsync || hooksAreAsync || isAsyncFunction(getResponse)
  let handler = guarded(withExceptionHooks(getResponse, exceptionHooks, isAsync), isAsync, respondTo)
  for (const layer of layers) {
    if (typeof layer === 'function') {
      const canWrap = isAsync
        ? layer.asyncCapable === true
        : layer.syncCapable !== false || layer.asyncCapable === true
      if (!canWrap) {
        throw new ProtocolError(
          'HAVN_ERR_HANDLER_ASYNC_IN_SYNC',
          `the middleware ${layer.name} wraps an async handler`,
        )
      }
      isAsync ||= layer.syncCapable === false
      const wrapped = layer(isAsync ? promising(handler) : handler)
      if (typeof wrapped !== 'function')
        throw new ProtocolError('HAVN_ERR_HANDLER_RESPONSE', describe(wrapped))
      isAsync ||= isAsyncFunction(wrapped)
      handler = wrapped
    } else if ('around' in layer) {
      handler = isAsync ? aroundAsync(layer, handler) : aroundSync(layer, handler)
    } else {
      isAsync ||= Object.values(layer).some(isAsyncFunction)
      handler = isAsync ? hooksAsync(layer, handler) : hooksSync(layer, handler)
    }
    handler = guarded(handler, isAsync, respondTo)
  }
  return { handler, isAsync }
}

/** True for what is declared `async`. */
export function isAsyncFunction(value: unknown): boolean {
  return typeof value === 'function' && value.constructor.name === 'AsyncFunction'
}

/** Throws when a value that a synchronous chain has to use at once is a promise. */
export function ensureNow<Value>(value: Value | Promise<Value>, what: string): Value {
  if (!(value instanceof Promise)) return value
  value.catch(() => {})
  throw new ProtocolError('HAVN_ERR_HANDLER_ASYNC_IN_SYNC', `${what} returned a promise`)
}

function guarded(handler: Handler, isAsync: boolean, respondTo: ChainOptions['respondTo']): Handler {
  if (isAsync) {
    return async (request) => {
      try {
        return ensureResponse(await handler(request))
      } catch (error) {
        return respondTo(error, request)
      }
    }
  }
  return (request) => {
    try {
      const response = handler(request)
      // A plain function may return a promise under ASGI, where everything is awaited in the end.
      if (response instanceof Promise) {
        return response.then(ensureResponse).catch((error: unknown) => respondTo(error, request))
      }
      return ensureResponse(response)
    } catch (error) {
      return respondTo(error, request)
    }
  }
}

function promising(handler: Handler): Handler {
  return async (request) => handler(request)
}

function aroundSync(layer: AroundMiddleware, next: Handler): Handler {
  return (request) => {
    const steps = layer.around(request)
    let step = steps.next()
    while (!step.done)
      step = steps.next(ensureNow(next(step.value), 'a handler inside of a synchronous middleware'))
    return step.value
  }
}

function aroundAsync(layer: AroundMiddleware, next: Handler): Handler {
  return async (request) => {
    const steps = layer.around(request)
    let step = steps.next()
    while (!step.done) step = steps.next(await next(step.value))
    return step.value
  }
}

function hooksSync(hooks: HookMiddleware, next: Handler): Handler {
  return (request) => {
    const response =
      now(hooks.processRequest?.(request), 'processRequest') ??
      ensureNow(next(request), 'a handler inside of a synchronous middleware')
    return hooks.processResponse === undefined ? response : hooks.processResponse(request, response)
  }
}

function hooksAsync(hooks: HookMiddleware, next: Handler): Handler {
  return async (request) => {
    const response = (await hooks.processRequest?.(request)) ?? (await next(request))
    return hooks.processResponse === undefined ? response : hooks.processResponse(request, response)
  }
}

/** What the view throws goes to the exception hooks first, from the inside out, and only then to `respondTo`. */
function withExceptionHooks(view: Handler, layers: HookMiddleware[], isAsync: boolean): Handler {
  if (layers.length === 0) return view
  if (isAsync) {
    return async (request) => {
      try {
        return await view(request)
      } catch (error) {
        for (const layer of layers) {
          const response = await layer.processException!(request, error)
          if (response) return response
        }
        throw error
      }
    }
  }
  return (request) => {
    try {
      return ensureNow(view(request), 'the view')
    } catch (error) {
      for (const layer of layers) {
        const response = now(layer.processException!(request, error), 'processException')
        if (response) return response
      }
      throw error
    }
  }
}

function now(answer: Answer, what: string): HandlerResponse | undefined {
  return ensureNow(answer, what) ?? undefined
}

function ensureResponse(response: HandlerResponse): HandlerResponse {
  if (typeof response === 'object' && response !== null && Number.isInteger(response.status)) return response
  throw new ProtocolError('HAVN_ERR_HANDLER_RESPONSE', describe(response))
}
