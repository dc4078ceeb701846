import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { HavnError } from '@havn/model/errors'
import { interfaceOf } from '@havn/protocol'
import type { AppInterface } from '@havn/protocol'
import type { GatewayApp } from '../config/gateway-config.ts'
import { hostErrors } from './errors.ts'
import { importStack } from './own-stack.ts'

/** An app as its module exports it, and how it is called. */
export interface JsApp {
  interface: AppInterface
  value: unknown
  /** The module's export `upgrade`, or the app's own: `(request, socket, head)`. */
  upgrade: unknown
}

type NodeApp = Extract<GatewayApp, { language: 'node' }>

/**
 * Imports the app's module in this thread and finds the app in it.
 *
 * @throws HAVN_ERR_APP_IMPORT with the app's own stack, HAVN_ERR_APP_NOT_CALLABLE
 */
export async function loadJsApp(app: NodeApp): Promise<JsApp> {
  const { file, name } = splitTarget(app.target)
  const path = resolve(app.directory, file)
  const exports = await importApp(path)
  const value = await unwrap(exports, name, path)
  const found = interfaceFor(value, app.interface)
  if (found === undefined) {
    const seen = { target: app.target, found: describe(value, exports), interface: app.interface ?? 'any' }
    throw hostErrors.HAVN_ERR_APP_NOT_CALLABLE(seen)
  }
  return { interface: found, value, upgrade: exports['upgrade'] ?? (value as { upgrade?: unknown }).upgrade }
}

/** `./app.ts#name`: a file, and an export other than the default. */
function splitTarget(target: string): { file: string; name: string } {
  const at = target.lastIndexOf('#')
  return at < 0
    ? { file: target, name: 'default' }
    : { file: target.slice(0, at), name: target.slice(at + 1) }
}

async function importApp(path: string): Promise<Record<string, unknown>> {
  try {
    await stat(path)
    return (await import(pathToFileURL(path).href)) as Record<string, unknown>
  } catch (error) {
    throw await importError(path, error)
  }
}

/** The export; through a CommonJS module that was compiled from ESM, and through a promise of an app. */
async function unwrap(exports: Record<string, unknown>, name: string, path: string): Promise<unknown> {
  let value = exports[name]
  if (isRecord(value) && value['__esModule'] === true && name === 'default') value = value['default']
  if (!(value instanceof Promise)) return value
  try {
    return await value
  } catch (error) {
    throw await importError(path, error)
  }
}

/** What the app says of itself wins; then what was configured; then what its shape tells. */
function interfaceFor(value: unknown, configured: AppInterface | undefined): AppInterface | undefined {
  const own = interfaceOf(value)
  if (own === 'wsgi' || own === 'asgi') return own
  if (configured === undefined || configured === 'node')
    return own ?? (isFastify(value) || isKoa(value) ? 'node' : undefined)
  if (configured === 'fetch') return own === undefined ? undefined : 'fetch'
  return typeof value === 'function' ? configured : undefined
}

/** A Fastify instance: serves a request once its plugins are loaded. */
export function isFastify(value: unknown): value is { ready(): PromiseLike<unknown>; routing: unknown } {
  return isRecord(value) && typeof value['routing'] === 'function' && typeof value['ready'] === 'function'
}

/** A Koa application. */
export function isKoa(value: unknown): value is { callback(): unknown } {
  return isRecord(value) && typeof value['callback'] === 'function' && typeof value['use'] === 'function'
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

async function importError(file: string, cause: unknown): Promise<HavnError> {
  const reason = firstLine(cause instanceof Error ? cause.message : String(cause))
  return hostErrors.HAVN_ERR_APP_IMPORT({ file, reason }, { cause, detail: await importStack(file, cause) })
}

function firstLine(text: string): string {
  const at = text.indexOf('\n')
  return at < 0 ? text : text.slice(0, at)
}

function describe(value: unknown, exports: Record<string, unknown>): string {
  if (value === undefined)
    return `not exported (the module exports ${Object.keys(exports).join(', ') || 'nothing'})`
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
