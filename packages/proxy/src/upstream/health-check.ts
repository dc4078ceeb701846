import { request } from 'node:http'
import type { HealthConfig } from '@havn/model'
import { askStatus } from './client/http2/ask-status.ts'
import type { UpstreamServer } from './upstream-server.ts'

export interface HealthCheckOptions {
  server: UpstreamServer
  config: HealthConfig
  /** The server's `isHealthy` is not what it was. */
  onChange(problem: Error | null): void
}

/** Asks one server again and again how it does, one question at a time, until it is closed. */
export class HealthCheck {
  readonly #options: HealthCheckOptions
  /** Answers in a row that say the opposite of what is known. */
  #contrary = 0
  #timer: NodeJS.Timeout | null = null
  readonly #closing = new AbortController()

  constructor(options: HealthCheckOptions) {
    this.#options = options
    // Threads that start together need not ask together.
    this.#schedule((Math.random() * options.config.intervalMs) / 4)
  }

  /** Safe to call twice. */
  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#closing.abort()
  }

  #schedule(delayMs: number): void {
    this.#timer = setTimeout(() => void this.#check(), delayMs).unref()
  }

  async #check(): Promise<void> {
    const { server, config } = this.#options
    const problem = await findProblem(server, config, this.#closing.signal)
    if (this.#closing.signal.aborted) return
    this.#count(problem)
    this.#schedule(config.intervalMs)
  }

  #count(problem: Error | null): void {
    const { server, config, onChange } = this.#options
    if ((problem === null) === server.isHealthy) {
      this.#contrary = 0
      return
    }
    this.#contrary += 1
    if (this.#contrary < (server.isHealthy ? config.unhealthyAfter : config.healthyAfter)) return
    this.#contrary = 0
    server.isHealthy = !server.isHealthy
    onChange(problem)
  }
}

/** One question, on a connection of its own. Resolves with what is wrong, or null. Never rejects. */
async function findProblem(
  server: UpstreamServer,
  config: HealthConfig,
  closing: AbortSignal,
): Promise<Error | null> {
  const { timeoutMs, expectStatus } = config
  const signal = AbortSignal.any([closing, AbortSignal.timeout(timeoutMs)])
  try {
    const status = await ask(server, config, signal)
    const isExpected = expectStatus === undefined ? status >= 200 && status < 400 : status === expectStatus
    return isExpected ? null : new Error(`it answers ${status}`)
  } catch (error) {
    return signal.aborted ? new Error(`no answer in ${timeoutMs} ms`) : (error as Error)
  }
}

async function ask(
  server: UpstreamServer,
  { path, host }: HealthConfig,
  signal: AbortSignal,
): Promise<number> {
  const { sessions, dialer } = server
  const headers = ['Host', host, 'User-Agent', 'havn-health']
  if (sessions !== null) {
    const { isNegotiated } = sessions
    const status = await askStatus({
      dialer,
      isNegotiated,
      request: { method: 'GET', path, headers },
      signal,
    })
    if (status !== null) return status
  }
  return askHttp1(server, path, [...headers, 'Connection', 'close'], signal)
}

function askHttp1(
  server: UpstreamServer,
  path: string,
  headers: string[],
  signal: AbortSignal,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request({ ...server.target, path, headers, signal, ...server.ownConnection })
    sent.on('error', reject)
    sent.once('response', (received) => {
      // Its status says all; a page of any length is not worth reading.
      received.destroy()
      resolve(received.statusCode!)
    })
    sent.end()
  })
}
