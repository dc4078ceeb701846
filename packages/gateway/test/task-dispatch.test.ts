import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { GatewayOptions } from '../src/config/gateway-config.ts'
import { createCounters, readCounters } from '../src/dispatch/counters.ts'
import { createTaskHost } from '../src/host/task-host.ts'
import { parseGatewayOptions } from '../src/supervisor/parse-options.ts'
import { get, startGateway, temporaryDirectory, urlOf } from './lifecycle-setup.ts'
import { createConfig, createTestLogger, fetchFrom, listen, until } from './python-host-setup.ts'

type AppInterface = 'wsgi' | 'asgi' | 'fetch' | 'node' | undefined

/** Writes the app as a file of its own, and serves it by tasks through the real listener. */
async function startApp(source: string, appInterface?: AppInterface, options: Partial<GatewayOptions> = {}) {
  const directory = await mkdtemp(join(tmpdir(), 'havn-task-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  await writeFile(join(directory, 'app.mjs'), source)
  const config = createConfig({
    app: { language: 'node', interface: appInterface, target: 'app.mjs', directory },
    dispatch: 'task',
    log: { level: 'silent' },
    workers: 2,
    ...options,
  })
  const { lines, logger } = createTestLogger()
  const counters = createCounters(1)
  const host = await createTaskHost({ config, counters, logger, runDirectory: directory })
  onTestFinished(() => host.close())
  return { ...(await listen(config, host)), host, lines, counters, directory }
}

const fastify = pathToFileURL(join(import.meta.dirname, '../../../node_modules/fastify/fastify.js')).href
const busy = `const burn = (ms) => { const end = performance.now() + ms; while (performance.now() < end); }\n`

const echoes: Record<string, [string, AppInterface]> = {
  'a node listener': [
    `export default async (req, res) => {
       let text = ''
       for await (const chunk of req) text += chunk
       res.setHeader('set-cookie', ['a=1', 'b=2'])
       res.writeHead(201, 'Made', { 'x-method': req.method, 'x-path': req.url, 'x-fine': req.headers['x-fine'] ?? '' })
       res.write(text)
       res.end('!')
     }`,
    undefined,
  ],
  'a fetch handler': [
    `export default async (request) => {
       const url = new URL(request.url)
       const headers = new Headers({ 'x-method': request.method, 'x-path': url.pathname + url.search })
       headers.set('x-fine', request.headers.get('x-fine') ?? '')
       headers.append('set-cookie', 'a=1')
       headers.append('set-cookie', 'b=2')
       return new Response(await request.text() + '!', { status: 201, headers })
     }`,
    'fetch',
  ],
  'a WSGI app': [
    `export default (environ, startResponse) => {
       const body = environ['wsgi.input'].read()
       startResponse('201 Made', [
         ['x-method', environ.REQUEST_METHOD], ['x-path', environ.PATH_INFO + '?' + environ.QUERY_STRING],
         ['x-fine', environ.HTTP_X_FINE ?? ''], ['set-cookie', 'a=1'], ['set-cookie', 'b=2'],
       ])
       return [body, Buffer.from('!')]
     }`,
    'wsgi',
  ],
  'a Fastify app': [
    `import fastify from '${fastify}'
     const app = fastify({ bodyLimit: 10_000_000 })
     app.addContentTypeParser('*', { parseAs: 'string' }, (req, body, done) => done(null, body))
     app.post('/x', async (req, reply) => {
       reply.code(201).header('x-method', req.method).header('x-path', req.url).header('x-fine', req.headers['x-fine'] ?? '')
       reply.header('set-cookie', ['a=1', 'b=2'])
       return (req.body ?? '') + '!'
     })
     export default app`,
    undefined,
  ],
}

describe('tasks', () => {
  it.each(Object.entries(echoes))('run %s: whole in, whole out', async (_name, [source, appInterface]) => {
    const front = await startApp(source, appInterface)
    for (const body of ['', 'small', 'x'.repeat(2_000_000)]) {
      const answer = await fetchFrom(front, '/x?q=1', {
        method: 'POST',
        headers: { 'X-Fine': 'yes', 'Content-Type': 'text/x' },
        body,
      })
      expect(answer.status).toBe(201)
      expect(answer.headers).toMatchObject({ 'x-method': 'POST', 'x-path': '/x?q=1', 'x-fine': 'yes' })
      expect(answer.headers['set-cookie']).toEqual(['a=1', 'b=2'])
      expect(answer.text).toBe(`${body}!`)
    }
    await until(() => readCounters(front.counters).inFlight === 0)
    expect((await readdir(front.directory)).filter((name) => name.startsWith('body-'))).toEqual([])
  })

  it('run beside each other, and leave the accepting thread free', async () => {
    const front = await startApp(`${busy}export default (req, res) => { burn(300); res.end('done') }`)
    const answers = Promise.all(Array.from({ length: 4 }, () => fetchFrom(front)))
    await until(
      () => readCounters(front.counters).inFlight === 2 && readCounters(front.counters).queued === 2,
    )
    expect((await answers).map(({ status }) => status)).toEqual([200, 200, 200, 200])
    expect(new Set(front.records.map(({ worker }) => worker)).size).toBe(2)
  })

  it('that overrun their deadline end with 504 and their thread; the next one is served', async () => {
    const front = await startApp(
      `${busy}export default (req, res) => { if (req.url === '/long') burn(600_000); res.end('done') }`,
      undefined,
      { timeouts: { requestMs: 400 }, workers: 1 },
    )
    expect((await fetchFrom(front, '/long')).status).toBe(504)
    expect((await fetchFrom(front)).text).toBe('done')
    expect(front.lines).toContainEqual(expect.objectContaining({ event: 'task.exited', cause: 'deadline' }))
  })

  it.each([
    ['runs out of memory', 'memory', `let kept; for (;;) kept = { kept }`],
    ['leaves', 'exit', `process.exit(3)`],
    [
      'throws where nobody catches it',
      'uncaught',
      `return void setImmediate(() => { throw new Error('nobody') })`,
    ],
  ])('one that %s is a 502, and the next one is served', async (_what, cause, code) => {
    const front = await startApp(
      `export default (req, res) => { if (req.url === '/bad') { ${code} } res.end('done') }`,
      undefined,
      { workers: 1, taskLimits: { maxOldGenerationSizeMb: 48 } },
    )
    expect((await fetchFrom(front, '/bad')).status).toBe(502)
    expect((await fetchFrom(front)).text).toBe('done')
    expect(front.lines).toContainEqual(expect.objectContaining({ event: 'task.exited', cause }))
  })

  it.each<[string, string, AppInterface]>([
    ['at once', `export default () => { throw new Error('no') }`, 'node'],
    [
      'in the middle of a response',
      `export default async (req, res) => { res.write('half'); await null; throw new Error('no') }`,
      'node',
    ],
    ['in a fetch handler', `export default async () => { throw new Error('no') }`, 'fetch'],
  ])('that throw %s are a 500', async (_when, source, appInterface) => {
    const front = await startApp(source, appInterface)
    expect((await fetchFrom(front)).status).toBe(500)
    expect(front.records[0]?.error).toBe('HAVN_ERR_APP_THREW')
  })

  it('that break their response off are a 502', async () => {
    const front = await startApp(`export default (req, res) => { res.write('half'); res.destroy() }`)
    expect((await fetchFrom(front)).status).toBe(502)
    expect(front.records[0]?.error).toBe('HAVN_ERR_HOST_BROKE_OFF')
  })

  it('are answered as they end, with their length', async () => {
    const front = await startApp(
      `export default async (req, res) => { res.end('done'); await new Promise(() => {}) }`,
    )
    const { text, headers } = await fetchFrom(front)
    expect([text, headers['content-length']]).toEqual(['done', '4'])
  })

  it('keep what an app wrote, whatever it does with its buffer then', async () => {
    const front = await startApp(`export default (req, res) => {
      const buffer = Buffer.from('first ')
      res.write(buffer)
      buffer.write('second')
      res.end(buffer)
    }`)
    expect((await fetchFrom(front)).text).toBe('first second')
  })

  it('replace a thread that ends between two of them', async () => {
    const front = await startApp(
      `export default (req, res) => {
         res.end('done')
         if (req.url === '/leave') setTimeout(() => process.exit(3), 20)
       }`,
      undefined,
      { workers: 1 },
    )
    expect((await fetchFrom(front, '/leave')).text).toBe('done')
    await until(() => front.lines.some(({ event, cause }) => event === 'task.exited' && cause === 'exit'))
    expect((await fetchFrom(front)).text).toBe('done')
  })

  it('leave no file of an upload that is broken off', async () => {
    const front = await startApp(`export default (req, res) => res.end('done')`)
    const spools = async () => (await readdir(front.directory)).filter((name) => name.startsWith('body-'))
    const outgoing = httpRequest({
      port: front.port,
      method: 'POST',
      headers: { 'content-length': 4_000_000 },
    })
    outgoing.on('error', () => {})
    outgoing.write(Buffer.alloc(2_000_000))
    await until(async () => (await spools()).length === 1)
    outgoing.destroy()
    await until(async () => (await spools()).length === 0)
  })

  it('end what the app started when the gateway has drained', async () => {
    const front = await startApp(
      `import fastify from '${fastify}'
       import { appendFileSync } from 'node:fs'
       const app = fastify()
       app.addHook('onClose', async () => appendFileSync(new URL('closed', import.meta.url), 'x'))
       export default app`,
    )
    await front.host.drain()
    await front.host.close()
    expect(await readFile(join(front.directory, 'closed'), 'utf8')).toBe('xx')
  })

  it('are refused beyond the queue, with Retry-After', async () => {
    const front = await startApp(
      `${busy}export default (req, res) => { burn(500); res.end('done') }`,
      undefined,
      {
        workers: 1,
        limits: { maxQueue: 1 },
      },
    )
    const answers = await Promise.all(Array.from({ length: 4 }, () => fetchFrom(front)))
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 503, 503])
    expect(answers.find(({ status }) => status === 503)?.headers['retry-after']).toBe('1')
  })

  it('run in a whole gateway, which reloads with them', async () => {
    const directory = await temporaryDirectory()
    const file = join(directory, 'app.mjs')
    await writeFile(file, `${busy}export default (req, res) => { burn(50); res.end('one') }`)
    const gateway = await startGateway({
      listeners: [{ type: 'tcp', host: '127.0.0.1', port: 0 }],
      app: { language: 'node', target: 'app.mjs', directory },
      dispatch: 'task',
      workers: 2,
      log: { level: 'silent' },
    })
    const url = urlOf(gateway.addresses)
    expect((await get(url)).text).toBe('one')
    await writeFile(file, `export default (req, res) => res.end('two')`)
    await gateway.reload()
    expect((await get(url)).text).toBe('two')
    await gateway.stop()
  })

  it('are not for ASGI apps, nor for processes, nor for Python', async () => {
    const protocol = pathToFileURL(join(import.meta.dirname, '../../protocol/src/index.ts')).href
    const asgi = `import { defineAsgi } from '${protocol}'\nexport default defineAsgi(async () => {})`
    await expect(startApp(asgi)).rejects.toMatchObject({ code: 'HAVN_ERR_APP_DISPATCH' })
    const listeners = [{ type: 'tcp' as const, host: '127.0.0.1', port: 0 }]
    const node = { language: 'node' as const, target: 'app.mjs', directory: '/srv' }
    for (const options of [
      { app: { ...node, interface: 'asgi' as const } },
      { app: node, isolation: 'process' as const },
      { app: { language: 'none' as const } },
    ]) {
      expect(() => parseGatewayOptions({ listeners, dispatch: 'task', ...options })).toThrow(
        'dispatch: "task"',
      )
    }
    expect(parseGatewayOptions({ listeners, app: node, dispatch: 'task', threads: 8 }).threads).toBe(1)
  })
})
