import { rmSync, rmdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { toErrorJson } from '@havn/model/errors'
import { reportLastWords } from '../thread/last-words.ts'
import { GatewayProcess } from './gateway-process.ts'
import type { GatewayMessage, StartMessage, SupervisorMessage } from './messages.ts'

/** How long the last message may take to leave. */
const SEND_MS = 1_000

// An exit is by its own hand, and told of otherwise.
reportLastWords((words) => {
  if (words.reason === 'uncaught') void send({ type: 'last-words', words })
})

let gateway: GatewayProcess | null = null
let runDirectory: string | null = null
let isDraining = false

// A terminal and a service manager signal the whole group: only the supervisor acts on it, and then tells us.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})

process.on('disconnect', () => {
  // The supervisor is gone, and with it the sockets' owner. Workers end with their connections, but one that is
  // still busy with an import would not see it.
  gateway?.killWorkers()
  if (runDirectory !== null) removeFolder(runDirectory)
  process.exit(1)
})

process.on('message', (message: SupervisorMessage) => {
  if (message.type === 'start') void start(message)
  else if (message.type === 'drain') void drain(message.force)
  else if (message.type === 'reload') void reload(message.id)
  else if (message.type === 'tls') gateway?.updateTls(message.tls)
  else if (message.type === 'edge') void updateEdge(message.id, message.config)
  else void answerStatus(message.id)
})

/** The gateway's own folder goes with the last process of it. */
function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true })
  try {
    rmdirSync(dirname(folder))
  } catch {
    // Another process still has its folder in it.
  }
}

async function start(message: StartMessage): Promise<void> {
  runDirectory = message.runDirectory
  gateway = new GatewayProcess(message, {
    onFailure: (error) => void fail(error),
    onDraining: () => void send({ type: 'draining' }),
  })
  try {
    await gateway.start()
  } catch (error) {
    // A drain that came first has broken the start off, and ends the process.
    if (!isDraining) await fail(error)
    return
  }
  await send({ type: 'ready' })
}

async function drain(force: boolean): Promise<void> {
  const isFirst = !isDraining
  isDraining = true
  await gateway?.drain(force)
  if (isFirst) process.exit(0)
}

async function reload(id: number): Promise<void> {
  try {
    await gateway?.reload()
    await send({ type: 'reloaded', id })
  } catch (error) {
    await send({ type: 'reloaded', id, error: toErrorJson(error) })
  }
}

async function updateEdge(id: number, config: unknown): Promise<void> {
  try {
    const outcome = (await gateway?.updateEdge(config)) ?? { isUpdated: false }
    await send({ type: 'edge-updated', id, outcome })
  } catch (error) {
    await send({ type: 'edge-updated', id, outcome: { isUpdated: false, error: toErrorJson(error) } })
  }
}

async function answerStatus(id: number): Promise<void> {
  if (gateway !== null) await send({ type: 'status', id, status: await gateway.status() })
}

async function fail(error: unknown): Promise<void> {
  await send({ type: 'failed', error: toErrorJson(error) })
  process.exit(1)
}

function send(message: GatewayMessage): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, SEND_MS)
    process.send?.(message, () => {
      clearTimeout(timer)
      resolve()
    })
  })
}
