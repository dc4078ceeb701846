import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { jobSchema, releaseSchema, workloadSchema } from '@havn/model'
import type { Job, JobInput, Release, Workload, WorkloadInput } from '@havn/model'
import { sampleApp } from '@havn/plugin-api/testing'

export const fixture = (name: string) => new URL(`fixtures/${name}.mjs`, import.meta.url).href

/** A folder for a test's app, run directory and state. */
export async function createFolder(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await realpath(await mkdtemp(join(tmpdir(), 'havn-local-')))
  return { path, remove: () => rm(path, { recursive: true, force: true }) }
}

export interface ReleaseParts {
  id?: string
  root: string
  workloads?: WorkloadInput[]
  files?: { path: string; content: string }[]
}

export function createRelease({ id = 'r1', root, workloads = [], files = [] }: ReleaseParts): Release {
  return releaseSchema.parse({
    id,
    createdAt: '2026-01-02T03:04:05Z',
    source: { type: 'directory', path: root },
    app: { ...sampleApp('node'), root },
    jobs: [],
    workloads,
    files,
  })
}

/** A server on a Unix socket that answers with a text. */
export function serving(socket: string, text: string, extra: Partial<WorkloadInput['main']> = {}): Workload {
  const address = { type: 'unix', path: socket } as const
  return workloadSchema.parse({
    id: 'app',
    main: {
      id: 'app',
      program: { type: 'node', module: fixture('serve') },
      args: [socket, text],
      listens: [{ endpoint: 'app', address }],
      probes: { startup: { type: 'http', address, path: '/', host: 'sample.test', intervalMs: 20 } },
      ...extra,
    },
  })
}

export function dying(): Workload {
  return workloadSchema.parse({
    id: 'app',
    main: {
      id: 'app',
      program: { type: 'node', module: fixture('die') },
      probes: { startup: { type: 'ipc' } },
    },
  })
}

export function nodeJob(script: string, extra: Partial<JobInput> = {}): Job {
  return jobSchema.parse({
    id: 'job',
    title: 'A job',
    process: { id: 'job', program: { type: 'command', path: process.execPath }, args: ['-e', script] },
    ...extra,
  })
}

/** Asks a server on a Unix socket. */
export function ask(socketPath: string, path = '/'): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { socketPath, path, agent: false, headers: { host: 'sample.test' } },
      async (response) => {
        let text = ''
        for await (const chunk of response) text += chunk
        resolve(text)
      },
    )
    asked.on('error', reject).end()
  })
}

export const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
