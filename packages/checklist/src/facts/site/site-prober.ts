import { connect as connectPlain, isIP } from 'node:net'
import type { Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { TLSSocket } from 'node:tls'
import { setTimeout as sleep } from 'node:timers/promises'
import type { X509Certificate } from 'node:crypto'
import { clientHello, parseServerHello, type HelloAnswer, type HelloOffer } from './client-hello.ts'
import { parseAnswer, type SiteAnswer } from './parse-answer.ts'
import type { SiteProbe } from './site-probe.ts'

/** How gently a site is asked. */
export interface SiteLimits {
  /** Connections in all: each carries one request, or one handshake. */
  maxProbes: number
  concurrency: number
  /** For one probe, from its connect to the end of its answer. */
  probeMs: number
  /** For all of them, from the first one. */
  totalMs: number
  maxHeadBytes: number
  maxBodyBytes: number
}

export const SITE_LIMITS: SiteLimits = {
  maxProbes: 60,
  concurrency: 4,
  probeMs: 5_000,
  totalMs: 26_000,
  maxHeadBytes: 64 * 1024,
  maxBodyBytes: 256 * 1024,
}

/** Where the site speaks plain HTTP and TLS; null where it is not asked that way. */
export interface SitePorts {
  plain: number | null
  secure: number | null
}

export interface RequestSpec {
  scheme: 'http' | 'https'
  target: string
  method?: 'GET' | 'HEAD' | 'TRACE'
  /** More of them, or others in the place of Host, User-Agent, Accept and Connection. */
  headers?: Readonly<Record<string, string>>
  /** The whole message, in Latin-1, for what no client would send. */
  raw?: string
}

/** What a handshake with a client of today shows. */
export interface Handshake {
  protocol: string | null
  /** `h2`, where the site speaks HTTP/2. */
  alpn: string | null
  certificate: X509Certificate | null
  /** OpenSSL's name of what is wrong with the chain; null where it is trusted. */
  chainError: string | null
}

/** `browser` speaks HTTP/2 as well; `hello` is TCP, for a handshake made by hand. */
type SocketKind = 'http' | 'https' | 'browser' | 'hello'

/** Says who asks, to those who read logs. */
const USER_AGENT = 'HavnCheck/0.1 (platform check --url; a check that the owner of this site runs)'
/** So many silences in a row, and the site is asked no more. */
const MAX_SILENT = 4
const HELLO_BYTES = 16 * 1024

/**
 * Asks one site. All connections of a run are opened here and nowhere else: to the host that was named alone, on its own
 * port and those of the other scheme, within one budget. Redirects are not followed here, and names are not looked at.
 */
export class SiteProber {
  readonly url: URL
  readonly ports: SitePorts
  readonly #limits: SiteLimits
  readonly #host: string
  readonly #waiting: (() => void)[] = []
  #running = 0
  #used = 0
  #silent = 0
  #endsAt: number | null = null

  constructor(url: URL, { ports, limits }: { ports?: SitePorts; limits?: Partial<SiteLimits> } = {}) {
    this.url = url
    this.ports = ports ?? defaultPorts(url)
    this.#limits = { ...SITE_LIMITS, ...limits }
    this.#host = url.hostname.replaceAll(/^\[|\]$/g, '')
  }

  /** Probes so far. */
  get used(): number {
    return this.#used
  }

  /** `https://example.com`, with the port where it is another one. */
  origin(scheme: 'http' | 'https'): string {
    return new URL(`${scheme}://${this.url.hostname}:${this.#portOf(scheme)}`).origin
  }

  /** What `Host` says of it. */
  authority(scheme: 'http' | 'https'): string {
    return new URL(this.origin(scheme)).host
  }

  /** Sends one message on a connection of its own. @throws when no connection comes to be. */
  request({ scheme, target, method = 'GET', headers = {}, raw }: RequestSpec): Promise<SiteProbe> {
    const all = {
      Host: this.authority(scheme),
      'User-Agent': USER_AGENT,
      Accept: '*/*',
      Connection: 'close',
      ...headers,
    }
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
    const request = raw ?? `${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`
    const url = this.origin(scheme) + target
    return this.#withSocket(scheme, async (socket) => {
      socket.write(request, 'latin1')
      const outcome = await this.#readAnswer(socket, method)
      this.#count(outcome)
      return { url, request, outcome }
    })
  }

  /** A whole handshake, as a browser makes it. */
  handshake(): Promise<Handshake> {
    return this.#withSocket('browser', async (socket) => {
      const { authorizationError: error } = socket as TLSSocket & {
        authorizationError?: Error | string | null
      }
      const tls = socket as TLSSocket
      return {
        protocol: tls.getProtocol(),
        alpn: tls.alpnProtocol || null,
        certificate: tls.getPeerX509Certificate() ?? null,
        chainError:
          typeof error === 'string' ? error : ((error as NodeJS.ErrnoException | null)?.code ?? null),
      }
    })
  }

  /** Offers what a browser would not, and hangs up on the answer. */
  hello(offer: Omit<HelloOffer, 'name'>): Promise<HelloAnswer> {
    const name = isIP(this.#host) ? null : this.#host
    return this.#withSocket('hello', (socket) => {
      socket.write(clientHello({ ...offer, name }))
      return this.#readHello(socket)
    })
  }

  /**
   * Sends the head of a request byte by byte, and never ends it.
   *
   * @returns how long the site bore it, in milliseconds; null where it still did in the end.
   */
  dripHead(scheme: 'http' | 'https', maxMs: number): Promise<number | null> {
    return this.#withSocket(
      scheme,
      async (socket) => {
        const start = performance.now()
        let endedAt: number | null = null
        const end = () => (endedAt ??= performance.now() - start)
        socket.on('end', end).on('close', end).resume()
        socket.write(
          `GET / HTTP/1.1\r\nHost: ${this.authority(scheme)}\r\nUser-Agent: ${USER_AGENT}\r\nX-Slow: `,
        )
        while (endedAt === null && performance.now() - start < maxMs) {
          await sleep(500)
          socket.write('a')
        }
        return endedAt
      },
      maxMs + this.#limits.probeMs,
    )
  }

  #portOf(scheme: 'http' | 'https'): number {
    const port = scheme === 'http' ? this.ports.plain : this.ports.secure
    if (port === null) throw new Error(`The site is not asked over ${scheme}`)
    return port
  }

  /** The only place where connections are opened: here they are counted and bounded. */
  async #withSocket<Value>(
    kind: SocketKind,
    use: (socket: Socket) => Promise<Value>,
    longestMs = this.#limits.probeMs,
  ): Promise<Value> {
    const port = this.#portOf(kind === 'http' ? 'http' : 'https')
    await this.#begin()
    const deadline = AbortSignal.timeout(longestMs)
    let socket: Socket | null = null
    try {
      socket = await this.#connect(kind, port, deadline)
      return await use(socket)
    } finally {
      socket?.destroy()
      this.#running--
      this.#waiting.shift()?.()
    }
  }

  async #begin(): Promise<void> {
    while (this.#running >= this.#limits.concurrency) await new Promise<void>((go) => this.#waiting.push(go))
    try {
      const { maxProbes, totalMs } = this.#limits
      if (this.#used >= maxProbes) throw new Error(`All ${maxProbes} probes are used up`)
      if (this.#silent >= MAX_SILENT) throw new Error('The site no longer answers: it is asked no more')
      this.#endsAt ??= performance.now() + totalMs
      if (performance.now() > this.#endsAt)
        throw new Error(`The site was asked for ${totalMs} ms: that is enough`)
    } catch (error) {
      // Whoever waits as well must hear of it.
      this.#waiting.shift()?.()
      throw error
    }
    this.#used++
    this.#running++
  }

  #connect(kind: SocketKind, port: number, deadline: AbortSignal): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const isTls = kind === 'https' || kind === 'browser'
      const protocols = kind === 'browser' ? ['h2', 'http/1.1'] : ['http/1.1']
      const socket = isTls ? this.#connectTls(port, protocols) : connectPlain({ host: this.#host, port })
      const fail = () => {
        socket.destroy()
        this.#silent++
        reject(new Error(`No connection to ${this.#host}:${port} in time`))
      }
      deadline.addEventListener('abort', fail, { once: true })
      socket.once(isTls ? 'secureConnect' : 'connect', () => {
        deadline.removeEventListener('abort', fail)
        // Aborted later, it is silence: what reads sees the end of the socket.
        deadline.addEventListener('abort', () => socket.destroy(new Silence()), { once: true })
        resolve(socket)
      })
      socket.on('error', (error) => reject(error))
    })
  }

  /** Whatever the certificate and the version: they are looked at, not believed. */
  #connectTls(port: number, ALPNProtocols: string[]): TLSSocket {
    return connectTls({
      host: this.#host,
      port,
      ...(isIP(this.#host) ? {} : { servername: this.#host }),
      rejectUnauthorized: false,
      ALPNProtocols,
      minVersion: 'TLSv1',
      ciphers: 'DEFAULT@SECLEVEL=0',
    })
  }

  #readAnswer(socket: Socket, method: string): Promise<SiteProbe['outcome']> {
    const { maxHeadBytes, maxBodyBytes } = this.#limits
    return new Promise((resolve) => {
      let bytes = Buffer.alloc(0)
      const finish = (isEnded: boolean, without: 'closed' | 'silent') => {
        const parsed = parseAnswer(bytes, { method, isEnded })
        if (parsed === 'garbage') resolve('garbage')
        else resolve(parsed === null ? without : parsed.answer)
        socket.destroy()
      }
      socket.on('data', (chunk: Buffer) => {
        bytes = Buffer.concat([bytes, chunk])
        const parsed = parseAnswer(bytes, { method, isEnded: false })
        const isTooMuch = bytes.length > maxHeadBytes + maxBodyBytes
        if (parsed === 'garbage' || (parsed === null && bytes.length > maxHeadBytes)) {
          resolve('garbage')
          socket.destroy()
        } else if (parsed?.isComplete || isTooMuch) finish(false, 'closed')
      })
      socket.on('end', () => finish(true, 'closed'))
      socket.on('error', (error) => {
        const isSilence = error instanceof Silence
        finish(!isSilence, isSilence ? 'silent' : 'closed')
      })
      socket.on('close', () => finish(true, 'closed'))
    })
  }

  #readHello(socket: Socket): Promise<HelloAnswer> {
    return new Promise((resolve, reject) => {
      let bytes = Buffer.alloc(0)
      socket.on('data', (chunk: Buffer) => {
        bytes = Buffer.concat([bytes, chunk])
        const answer = bytes.length > HELLO_BYTES ? { type: 'refused' as const } : parseServerHello(bytes)
        if (answer !== null) resolve(answer)
      })
      socket.on('error', (error) =>
        error instanceof Silence
          ? reject(new Error('A handshake found no answer'))
          : resolve({ type: 'refused' }),
      )
      socket.on('close', () => resolve({ type: 'refused' }))
    })
  }

  #count(outcome: SiteAnswer | string): void {
    if (outcome === 'silent') this.#silent++
    else this.#silent = 0
  }
}

/** The time of a probe is over. */
class Silence extends Error {}

/** Its own port, and the other scheme's usual one where its own is usual, too. */
function defaultPorts({ protocol, port }: URL): SitePorts {
  if (protocol === 'https:')
    return { secure: port === '' ? 443 : Number(port), plain: port === '' ? 80 : null }
  return { plain: port === '' ? 80 : Number(port), secure: port === '' ? 443 : null }
}
