import { join } from 'node:path'
import type { ErrorJson } from '@havn/model/errors'
import type { Door } from '../config/door.ts'
import type { GatewayConfig } from '../config/gateway-config.ts'
import type { EdgeUpdate, LastWords } from '../thread/messages.ts'
import type { TlsMaterial } from '../tls/tls-material.ts'
import type { GatewayProcessStatus } from './status.ts'

/** What a gateway process needs to run; sent once, first. */
export interface StartMessage {
  type: 'start'
  config: GatewayConfig
  /** This process's private folder; it exists. */
  runDirectory: string
  doors: readonly Door[]
  tls: TlsMaterial | null
  /** Descriptor numbers in the gateway process: a row a thread, a column a door. */
  descriptors: readonly (readonly number[])[]
  /** Another process serves: this one accepts only once its app is healthy. */
  isSuccessor: boolean
  /** Restarts of the gateway process before. */
  restarts: number
}

/** From the supervisor to the gateway process. */
export type SupervisorMessage =
  | StartMessage
  /** `force` ends what is in flight. */
  | { type: 'drain'; force: boolean }
  | { type: 'status'; id: number }
  /** Gives the app anew to its workers. */
  | { type: 'reload'; id: number }
  /** The certificates have changed, or the ticket keys: they are for handshakes from now on. */
  | { type: 'tls'; tls: TlsMaterial }
  /** Gives the edge of each thread this configuration. */
  | { type: 'edge'; id: number; config: unknown }

/** From the gateway process to the supervisor. */
export type GatewayMessage =
  | { type: 'ready' }
  /** None of its threads accepts any more. */
  | { type: 'draining' }
  | { type: 'failed'; error: ErrorJson }
  | { type: 'last-words'; words: LastWords }
  | { type: 'status'; id: number; status: GatewayProcessStatus }
  | { type: 'reloaded'; id: number; error?: ErrorJson }
  | { type: 'edge-updated'; id: number; outcome: EdgeUpdate }

/** The file in a gateway process's folder that has its figures. */
export function figuresPath(runDirectory: string): string {
  return join(runDirectory, 'figures')
}
