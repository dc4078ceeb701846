import { frameErrors } from './errors.ts'
import { nameOfType } from './frame-rules.ts'
import type { Frame } from './frame.ts'

/** HELLO: the first frame of a host. */
export interface HelloMessage {
  protocol: number
  worker: number
  /** Number of this process of the worker; the worker's own where it is absent. */
  instance?: number
  pid: number
  host: string
  version: string
  /** Path of its scoreboard, where it keeps one. */
  scoreboard?: string
}

/** READY: the app is loaded. */
export interface ReadyMessage {
  /** Requests that it runs at once; 0 is no limit. */
  threads: number
  lifespan: 'on' | 'unsupported' | 'off'
}

/** FAILED: the app did not load; the host exits with code 3. */
export interface FailedMessage {
  reason: 'import' | 'attribute' | 'not-callable' | 'factory' | 'lifespan'
  message: string
  /** The app's own, whole; empty where there is none. */
  traceback: string
}

/** LOG: one line of a host's log. */
export interface LogMessage {
  level: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace'
  message: string
  /** A HAVN_ERR code, where the line tells of a known mistake. */
  code?: string
  /** The app's own, whole. */
  traceback?: string
  [field: string]: unknown
}

/** The object in a HELLO, READY, FAILED or LOG frame; throws `HAVN_ERR_HOST_PROTOCOL`. */
export function decodeJson<Message>(frame: Frame): Message {
  let value: unknown
  try {
    value = JSON.parse(frame.payload.toString())
  } catch {
    value = undefined
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw frameErrors.HAVN_ERR_HOST_PROTOCOL({
      reason: `${nameOfType(frame.type)} does not hold a JSON object`,
    })
  return value as Message
}

/** The bytes that a CREDIT frame gives. */
export function decodeCredit(payload: Buffer): number {
  return payload.readUInt32LE(0)
}
