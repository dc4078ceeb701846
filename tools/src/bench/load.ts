import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { promisify } from 'node:util'

/** What a load generator saw in one run. */
export interface LoadResult {
  requests: number
  durationS: number
  /** Requests a second. */
  rate: number
  p50Ms: number
  p99Ms: number
  /** Any answer other than 2xx, and any socket error: more than none voids the run. */
  errors: number
}

export interface LoadOptions {
  wrk: string
  url: string
  connections: number
  durationS: number
  method?: string
  /** Size of the request's body. */
  bodyBytes?: number
}

const script = resolve(import.meta.dirname, 'wrk-report.lua')

/** Loads one URL with wrk, on one thread: it shares the machine's cores with the server, as all contenders do. */
export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const { wrk, url, connections, durationS, method = 'GET', bodyBytes = 0 } = options
  const { stdout } = await promisify(execFile)(
    wrk,
    ['-t1', `-c${connections}`, `-d${durationS}s`, '--timeout', '20s', '-s', script, url],
    { env: { ...process.env, BENCH_METHOD: method, BENCH_BODY_BYTES: String(bodyBytes) } },
  )
  const line = stdout.split('\n').find((text) => text.startsWith('RESULT '))
  if (!line) throw new Error(`wrk printed no result:\n${stdout}`)
  const seen = JSON.parse(line.slice(7)) as {
    requests: number
    us: number
    p50: number
    p99: number
    errors: number
  }
  const seconds = seen.us / 1e6
  return {
    requests: seen.requests,
    durationS: seconds,
    rate: seen.requests / seconds,
    p50Ms: seen.p50 / 1000,
    p99Ms: seen.p99 / 1000,
    errors: seen.errors,
  }
}
