import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { createCounters } from '../dispatch/counters.ts'
import { moduleUrl } from '../module-url.ts'
import serve from './main.ts'
import type { ProcessWatchData } from './process-watch.ts'
import type { ProcessCommand, ProcessInput, ThreadCommand, ThreadPort, ThreadReport } from './messages.ts'

/**
 * A gateway thread as a process of its own, for apps that need `chdir`, signals or native addons, or must not share
 * fate: the same code, with Node's channel to the gateway process in place of a MessagePort.
 */
const listeners: ((command: ThreadCommand) => void)[] = []

const port: ThreadPort = {
  postMessage: (report) => void send(report),
  on: (_event, listener) => listeners.push(listener),
  close: () => {},
}

// The gateway process says when to drain. Handlers that the app adds are called beside these.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
// Its parent is gone, and with it the way to be told anything.
process.on('disconnect', () => process.exit(1))

process.on('message', (message: ProcessCommand) => {
  if (message.type === 'start') void run(message.input)
  else for (const listener of listeners) listener(message)
})

async function run({ notePath, ...input }: ProcessInput): Promise<void> {
  const counters = createCounters(input.thread + 1)
  const { blockedMs } = input.config.timeouts
  watch({ parent: process.ppid, counters, thread: input.thread, blockedMs, notePath })
  await serve({ ...input, isProcess: true, counters, port })
  // What was said last is still on its way.
  await send({ type: 'ended' })
  process.exit(0)
}

function send(report: ThreadReport): Promise<void> {
  return new Promise((resolve) => {
    if (process.connected) process.send?.(report, () => resolve())
    else resolve()
  })
}

/** Starts a thread beside this one, for what a blocked event loop cannot see and say. */
function watch(data: ProcessWatchData): void {
  const module = fileURLToPath(moduleUrl(import.meta.url, './process-watch'))
  const limits = { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2 }
  new Worker(module, { workerData: data, resourceLimits: limits, env: {}, execArgv: [] }).unref()
}
