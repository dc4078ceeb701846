import type { ErrorJson } from '@havn/model/errors'
import type { EdgeStatus } from '@havn/plugin-api'
import type { Door } from '../config/door.ts'
import type { GatewayConfig } from '../config/gateway-config.ts'
import type { CounterName } from '../dispatch/counters.ts'
import type { FailedMessage } from '../frames/index.ts'
import type {
  ExpectedProcess,
  PythonHostStatus,
  StuckWorker,
  WorkerEnd,
  WorkerInfo,
} from '../host/python-host.ts'
import type { TlsMaterial } from '../tls/tls-material.ts'

/** What carries commands to a thread and reports from it: a MessagePort, or the channel of a process. */
export interface ThreadPort {
  postMessage(report: ThreadReport): void
  on(event: 'message', listener: (command: ThreadCommand) => void): unknown
  close(): void
}

/** What a thread is started with. */
export interface ThreadInput {
  /** Counted from 0. */
  thread: number
  config: GatewayConfig
  runDirectory: string
  /** Numbers of the Python workers that belong to this thread. */
  workers: readonly number[]
  /** Where those workers connect to. */
  socketPath: string
  doors: readonly Door[]
  /** What it speaks TLS with; null where no door does. */
  tls: TlsMaterial | null
  /** A descriptor for each door, this thread's alone. */
  descriptors: readonly number[]
  /** What all threads of this process count in. */
  counters: SharedArrayBuffer
  /** What the edges of all threads of this process count in; a thread that is a process has an edge that counts alone. */
  edgeMemory?: SharedArrayBuffer
  /** Where all threads of this process count the connections of each client; a thread that is a process counts alone. */
  clientMemory?: SharedArrayBuffer
  /** This thread is a process of its own. */
  isProcess: boolean
  port: ThreadPort
}

/** What a process that is a thread is started with: it counts in its own memory. */
export interface ProcessInput extends Omit<
  ThreadInput,
  'counters' | 'edgeMemory' | 'clientMemory' | 'isProcess' | 'port'
> {
  /** Where it says by what its event loop is blocked. */
  notePath: string
}

/** To a process that is a thread. */
export type ProcessCommand = { type: 'start'; input: ProcessInput } | ThreadCommand

/** Why a thread ends, as far as it could tell. */
export interface LastWords {
  reason: 'uncaught' | 'exit'
  message: string
  /** The app's own frames. */
  stack: string
}

/** From the main thread. */
export type ThreadCommand =
  | { type: 'listen' }
  | { type: 'drain' }
  /** Ends what is in flight. */
  | { type: 'close' }
  | { type: 'status'; id: number }
  /** Asks the app for its health path, past listeners and queue; `instance` is one worker process of it. */
  | { type: 'probe'; id: number; instance?: number }
  /** The certificates have changed, or the ticket keys: they are for handshakes from now on. */
  | { type: 'tls'; tls: TlsMaterial }
  /** Gives its edge this configuration. */
  | { type: 'edge'; id: number; config: unknown }
  | WorkerCommand

/** To a thread, about its Python workers: see PythonHost. */
export type WorkerCommand =
  | { type: 'expect'; process: ExpectedProcess }
  | { type: 'admit'; instance: number }
  | { type: 'retire'; instance: number }

/** How an edge took a new configuration: an error has left it as it was, and so has `isUpdated` false: it takes none. */
export interface EdgeUpdate {
  isUpdated: boolean
  error?: ErrorJson
}

/** A thread's answer to a question for its status. */
export interface ThreadStatus {
  /** Its side of its Python workers; null for threads without them. */
  python: PythonHostStatus | null
  /** Null for threads without an edge, and for edges that say nothing of themselves. */
  edge: EdgeStatus | null
  /** From a process alone: what it has counted. */
  counters?: Record<CounterName, number>
}

/** To the main thread. */
export type ThreadReport =
  /** The app (JavaScript) or the workers' socket (Python) is there. */
  | { type: 'prepared' }
  | { type: 'listening' }
  /** It drains: whoever connects from now on is another's. */
  | { type: 'draining' }
  /** From a process alone: its event loop turns, and this is what it has counted. */
  | { type: 'beat'; counters: Record<CounterName, number> }
  | { type: 'last-words'; words: LastWords }
  /** From a process alone: it has drained. */
  | { type: 'ended' }
  | { type: 'failed'; error: ErrorJson }
  | { type: 'worker-ready'; worker: number; info: WorkerInfo }
  | { type: 'worker-failed'; worker: number; instance: number; failure: FailedMessage }
  | ({ type: 'worker-gone'; worker: number; error?: ErrorJson } & Omit<WorkerEnd, 'error' | 'expected'>)
  | ({ type: 'worker-stuck'; worker: number } & StuckWorker)
  | { type: 'worker-spent'; worker: number; instance: number }
  | { type: 'status'; id: number; status: ThreadStatus }
  | { type: 'edge-updated'; id: number; outcome: EdgeUpdate }
  /** `error` where no answer came. */
  | { type: 'probed'; id: number; status?: number; error?: string }
