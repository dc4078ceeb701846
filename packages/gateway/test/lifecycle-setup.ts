import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Address, ProcessCondition } from '@havn/model'
import { startChild, type ManagedChild } from '@havn/process'
import { findPython, requirePart } from '@havn/tools/parts'
import { onTestFinished, test } from 'vitest'
import {
  startSupervisor,
  supervisorModule,
  type GatewayHandle,
  type GatewayOptions,
  type SupervisorHooks,
} from '../src/index.ts'

export const appsDirectory: string = fileURLToPath(new URL('./lifecycle-apps', import.meta.url))

/** Null where this machine has no Python: what needs it is skipped. */
export const python: string | null = await requirePart('python3', findPython)
export const pythonTest = test.skipIf(python === null)

/** Options of a quiet gateway with one Python worker on a port of the kernel's choice. */
export function pythonOptions(
  overrides: Partial<GatewayOptions> = {},
  target = 'site_app:application',
): GatewayOptions {
  return {
    listeners: [{ type: 'tcp', host: '127.0.0.1', port: 0 }],
    app: {
      language: 'python',
      interface: 'wsgi',
      target,
      directory: appsDirectory,
      python: python!,
    },
    log: { level: 'silent' },
    ...overrides,
  }
}

/** Starts a gateway that ends with the test. */
export async function startGateway(
  options: GatewayOptions,
  hooks: SupervisorHooks = {},
): Promise<GatewayHandle> {
  const handle = await startSupervisor(options, hooks)
  onTestFinished(() => handle.stop({ force: true }))
  return handle
}

export function urlOf(addresses: readonly Address[], path = '/'): string {
  const [address] = addresses
  if (address?.type !== 'tcp') throw new Error('the first listener is no TCP address')
  return `http://127.0.0.1:${address.port}${path}`
}

/** GET on a connection of its own. */
export async function get(url: string): Promise<{ status: number; text: string; connection: string | null }> {
  const response = await fetch(url, { headers: { connection: 'close' } })
  return {
    status: response.status,
    text: await response.text(),
    connection: response.headers.get('connection'),
  }
}

export interface SupervisorProcess {
  child: ManagedChild
  addresses: readonly Address[]
  output: string[]
  /** Asks over the channel, as an orchestrator does. */
  condition(): Promise<ProcessCondition>
}

/** Starts a supervisor as a process that leads its own group, as a service manager does. */
export async function startSupervisorProcess(
  options: GatewayOptions,
  variables: Record<string, string> = {},
): Promise<SupervisorProcess> {
  const directory = await temporaryDirectory()
  const path = join(directory, 'gateway.json')
  await writeFile(path, JSON.stringify(options))
  const output: string[] = []
  const ready = Promise.withResolvers<readonly Address[]>()
  const answers = new Map<number, (condition: ProcessCondition) => void>()
  let questions = 0
  const child = await startChild({
    command: process.execPath,
    args: [fileURLToPath(supervisorModule), path],
    env: { PATH: process.env['PATH'] ?? '', ...variables },
    detached: true,
    ipc: true,
    onLine: (_stream, line) => output.push(line),
    onMessage: (message) => {
      const { type, addresses, error, id, status } = message as SupervisorMessage
      if (type === 'ready') ready.resolve(addresses)
      else if (type === 'status') answers.get(id)!(status)
      else ready.reject(error)
    },
  })
  onTestFinished(async () => void (await child.stop()))
  void child.exited.then(({ code, signal }) =>
    ready.reject(new Error(`ended with ${code ?? signal}: ${output.join('\n')}`)),
  )
  const condition = () =>
    new Promise<ProcessCondition>((resolve) => {
      const id = questions++
      answers.set(id, resolve)
      child.send({ type: 'status', id })
    })
  return { child, addresses: await ready.promise, output, condition }
}

interface SupervisorMessage {
  type: 'ready' | 'failed' | 'reloaded' | 'status'
  addresses: Address[]
  error?: unknown
  id: number
  status: ProcessCondition
}

export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'havn-lifecycle-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  return directory
}

/** All processes below this one, zombies left out. */
export function descendants(pid: number): number[] {
  const children = new Map<number, number[]>()
  for (const { pid: child, parent } of processes()) {
    children.set(parent, [...(children.get(parent) ?? []), child])
  }
  const below = (parent: number): number[] =>
    (children.get(parent) ?? []).flatMap((child) => [child, ...below(child)])
  return below(pid)
}

export function isAlive(pid: number): boolean {
  return processes().some((running) => running.pid === pid)
}

/** Waits until a condition holds; what it waits for is the error's text. */
export async function until(what: string, condition: () => boolean | Promise<boolean>, timeoutMs = 15_000) {
  const deadline = performance.now() + timeoutMs
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`)
    await sleep(25)
  }
}

/** Descriptors that a process has open. */
export function openDescriptors(pid: number | 'self'): number {
  return readdirSync(`/proc/${pid}/fd`).length
}

function processes(): { pid: number; parent: number }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        // The command, in parentheses, may hold anything; state and parent follow it (proc_pid_stat(5)).
        const [state, parent] = readFileSync(`/proc/${name}/stat`, 'utf8').split(') ').at(-1)!.split(' ')
        return state === 'Z' ? [] : [{ pid: Number(name), parent: Number(parent) }]
      } catch {
        return []
      }
    })
}
