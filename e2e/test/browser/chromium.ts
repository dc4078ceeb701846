import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'

/** How a reader sees a page. */
export interface View {
  width: number
  height: number
  scheme: 'light' | 'dark'
}

/** A page that was opened, as the browser shows it. */
export interface SeenPage {
  status: number
  /**
   * What the browser complains of while the page is open: policies that were broken, scripts that failed; not that an
   * error page is one.
   */
  complaints: string[]
  /** The value of an expression of JavaScript. */
  value(expression: string): Promise<unknown>
  screenshot(): Promise<Buffer>
}

type Message = Record<string, unknown>
interface Reply {
  id?: number
  method?: string
  params: Message
  result: Message
  error?: { message: string }
}

const DEADLINE_MS = 30_000

/** A browser without a window, by the Chrome DevTools Protocol over a pipe. */
export class Chromium implements AsyncDisposable {
  readonly #process
  readonly #folder: string
  readonly #waiting = new Map<number, PromiseWithResolvers<Message>>()
  /** Of the page that is open. */
  #listener: (reply: Reply) => void = () => {}
  #session = ''
  #sent = 0
  #rest = ''

  private constructor(program: string, folder: string) {
    this.#folder = folder
    const flags = ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage']
    const args = [...flags, '--no-first-run', '--remote-debugging-pipe', `--user-data-dir=${folder}`]
    this.#process = spawn(program, [...args, 'about:blank'], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
    })
    this.#process.once('exit', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('the browser has ended'))
    })
    const input = this.#process.stdio[4] as Readable
    input.setEncoding('utf8').on('data', (text: string) => this.#read(text))
    ;(this.#process.stdio[3] as Writable).on('error', () => {})
  }

  /** Starts the browser, with one page. */
  static async start(program: string): Promise<Chromium> {
    const browser = new Chromium(program, await mkdtemp(join(tmpdir(), 'havn-chromium-')))
    const { targetId } = await browser.#send('Target.createTarget', { url: 'about:blank' })
    const { sessionId } = await browser.#send('Target.attachToTarget', { targetId, flatten: true })
    browser.#session = sessionId as string
    for (const domain of ['Page', 'Network', 'Runtime', 'Log', 'Audits'])
      await browser.#send(`${domain}.enable`)
    return browser
  }

  async open(url: string, { width, height, scheme }: View): Promise<SeenPage> {
    const complaints: string[] = []
    const loaded = Promise.withResolvers<void>()
    let status = 0
    const listener = ({ method, params }: Reply) => {
      if (method === 'Page.loadEventFired') loaded.resolve()
      if (method === 'Network.responseReceived' && params['type'] === 'Document')
        status = (params['response'] as { status: number }).status
      if (method === 'Runtime.exceptionThrown') complaints.push(JSON.stringify(params['exceptionDetails']))
      if (method === 'Audits.issueAdded') {
        const { code, details } = params['issue'] as { code: string; details: unknown }
        complaints.push(`${code} ${JSON.stringify(details)}`)
      }
      if (method !== 'Log.entryAdded') return
      const { source, level, text } = params['entry'] as Record<string, string>
      if (source !== 'network' && level === 'error') complaints.push(text!)
    }
    this.#listener = listener
    const metrics = { width, height, deviceScaleFactor: 1, mobile: width < 600 }
    await this.#send('Emulation.setDeviceMetricsOverride', metrics)
    const features = [{ name: 'prefers-color-scheme', value: scheme }]
    await this.#send('Emulation.setEmulatedMedia', { features })
    await this.#send('Page.navigate', { url })
    await within(loaded.promise, `${url} has not loaded`)
    const value = async (expression: string) => {
      const { result } = await this.#send('Runtime.evaluate', { expression, awaitPromise: true })
      return (result as { value: unknown }).value
    }
    // Most complaints have come by then.
    await value('new Promise((resolve) => setTimeout(resolve, 50))')
    const screenshot = async () =>
      Buffer.from((await this.#send('Page.captureScreenshot'))['data'] as string, 'base64')
    return { status, complaints, value, screenshot }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#process, 'exit')
    if (this.#process.exitCode === null && this.#process.kill('SIGKILL')) await ended
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }

  #send(method: string, params: Message = {}): Promise<Message> {
    const id = ++this.#sent
    const reply = Promise.withResolvers<Message>()
    this.#waiting.set(id, reply)
    const session = this.#session === '' ? {} : { sessionId: this.#session }
    const text = JSON.stringify({ id, method, params, ...session })
    ;(this.#process.stdio[3] as Writable).write(`${text}\0`)
    return within(reply.promise, `no answer to ${method}`)
  }

  #read(text: string): void {
    const messages = (this.#rest + text).split('\0')
    this.#rest = messages.pop()!
    for (const message of messages) {
      const reply = JSON.parse(message) as Reply
      const { id, error, result } = reply
      if (id === undefined) this.#listener(reply)
      else if (error) this.#waiting.get(id)?.reject(new Error(error.message))
      else this.#waiting.get(id)?.resolve(result)
      if (id !== undefined) this.#waiting.delete(id)
    }
  }
}

function within<Value>(promise: Promise<Value>, complaint: string): Promise<Value> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error(complaint)), DEADLINE_MS)
  return Promise.race([promise, late.promise]).finally(() => clearTimeout(timer))
}
