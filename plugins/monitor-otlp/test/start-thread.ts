import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { Worker } from 'node:worker_threads'

export interface ServingThread {
  url: string
  /** Ends the thread after its last request; its log lines, and all that it wrote to standard error. */
  drain(): Promise<{ lines: Record<string, unknown>[]; failures: string[]; stderr: string }>
}

export interface ServingThreadOptions {
  modules: readonly string[]
  env: Record<string, string>
  trustIncoming?: boolean
}

/** Starts a real worker thread that serves, as the gateway's do. */
export async function startThread({
  modules,
  env,
  trustIncoming,
}: ServingThreadOptions): Promise<ServingThread> {
  const worker = new Worker(new URL('serving-thread.ts', import.meta.url), {
    workerData: { modules, trustIncoming },
    env: { ...process.env, ...env },
    stderr: true,
  })
  const stderr = text(worker.stderr)
  const [{ port }] = (await once(worker, 'message')) as [{ port: number }]
  return {
    url: `http://127.0.0.1:${port}`,
    async drain() {
      worker.postMessage('drain')
      const [{ lines, failures }] = (await once(worker, 'message')) as [
        { lines: string[]; failures: string[] },
      ]
      await worker.terminate()
      const parsed = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
      return { lines: parsed, failures, stderr: await stderr }
    },
  }
}
