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
  /** Answers of 400 and above, and socket errors: more than none voids the run. A run without any answer has one. */
  errors: number
}

export interface LoadOptions {
  wrk: string
  url: string
  /** Asked for in turn, in place of the URL's own path. */
  paths?: readonly string[]
  connections: number
  durationS: number
  method?: string
  /** Size of the request's body. */
  uploadBytes?: number
  headers?: Readonly<Record<string, string>>
  /** Ends the load early; what was seen until then is the result. */
  signal?: AbortSignal
}

const script = resolve(import.meta.dirname, 'wrk-report.lua')

/** Loads one URL with wrk, on one thread: it shares the machine's cores with the server, as all contenders do. */
export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const { wrk, url, connections, durationS, method = 'GET', uploadBytes = 0, headers = {}, signal } = options
  const paths = options.paths && options.paths.length > 1 ? options.paths.join('\n') : ''
  const headerArguments = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
  const running = promisify(execFile)(
    wrk,
    [
      ...['-t1', `-c${connections}`, `-d${durationS}s`, '--timeout', '20s', '-s', script],
      ...[...headerArguments, url],
    ],
    {
      env: {
        ...process.env,
        BENCH_METHOD: method,
        BENCH_UPLOAD_BYTES: String(uploadBytes),
        BENCH_PATHS: paths,
      },
    },
  )
  signal?.addEventListener('abort', () => running.child.kill('SIGINT'), { once: true })
  const { stdout } = await running
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
    errors: seen.errors + (seen.requests === 0 ? 1 : 0),
  }
}
