import type { ClientRequest, IncomingMessage } from 'node:http'
import { WebSocket, WebSocketServer, type ClientOptions } from 'ws'
import { describe, expect, test } from 'vitest'
import { asgiToNode, validateAsgi, type AsgiApp, type SendEvent, type WebSocketScope } from '../src/index.ts'
import { deferred, open, serve, type Served } from './serve.ts'

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1')

interface Running extends Served {
  errors: unknown[]
  connect(protocols?: string[], options?: ClientOptions): WebSocket
}

async function run(app: AsgiApp, { withServer = true, validate = true } = {}): Promise<Running> {
  const errors: unknown[] = []
  const webSocketServer = withServer ? new WebSocketServer({ noServer: true }) : undefined
  const checked = validate ? validateAsgi(app) : app
  const { onRequest, onUpgrade } = asgiToNode(checked, {
    webSocketServer,
    onError: (error) => errors.push(error),
  })
  const server = await serve(onRequest, onUpgrade)
  return {
    ...server,
    [Symbol.asyncDispose]: server[Symbol.asyncDispose],
    errors,
    connect(protocols = [], options = {}) {
      const client = new WebSocket(`ws://127.0.0.1:${server.port}/chat?room=1`, protocols, options)
      client.on('error', () => {})
      return client
    },
  }
}

const opened = (client: WebSocket): Promise<void> =>
  new Promise((resolve) => client.once('open', () => resolve()))
const message = (client: WebSocket): Promise<[Buffer, boolean]> =>
  new Promise((resolve) => client.once('message', (data: Buffer, isBinary) => resolve([data, isBinary])))
const closed = (client: WebSocket): Promise<[number, string]> =>
  new Promise((resolve) => client.once('close', (code, reason) => resolve([code, String(reason)])))
const refused = (client: WebSocket): Promise<IncomingMessage> =>
  new Promise((resolve) => {
    client.once('unexpected-response', (_request: ClientRequest, response: IncomingMessage) =>
      resolve(response),
    )
  })

async function textOf(response: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of response) text += String(chunk)
  return text
}

const sending = (...events: SendEvent[]): AsgiApp => {
  return async (_scope, receive, send) => {
    await receive()
    for (const event of events) await send(event)
  }
}

describe('websockets by way of asgiToNode', () => {
  test('accept with subprotocol and headers, text and bytes both ways, close by the client', async () => {
    const ended = deferred<unknown>()
    let seen: WebSocketScope | undefined
    const app: AsgiApp = async (scope, receive, send) => {
      seen = scope as WebSocketScope
      expect((await receive()).type).toBe('websocket.connect')
      await send({ type: 'websocket.accept', subprotocol: 'b', headers: [[bytes('x-own'), bytes('1')]] })
      for (;;) {
        const event = await receive()
        if (event.type !== 'websocket.receive') return ended.resolve(event)
        if (event.text != null) await send({ type: 'websocket.send', text: `echo ${event.text}` })
        else await send({ type: 'websocket.send', bytes: Buffer.from(event.bytes!).reverse() })
      }
    }
    await using server = await run(app)
    const client = server.connect(['a', 'b'])
    const upgrade = new Promise<IncomingMessage>((resolve) => client.once('upgrade', resolve))
    await opened(client)
    expect((await upgrade).headers['x-own']).toBe('1')
    expect(client.protocol).toBe('b')
    client.send('hé')
    expect(await message(client)).toEqual([Buffer.from('echo hé'), false])
    client.send(Buffer.from([1, 2, 3]))
    expect(await message(client)).toEqual([Buffer.from([3, 2, 1]), true])
    client.close(4001, 'done')
    expect(await ended.promise).toEqual({ type: 'websocket.disconnect', code: 4001, reason: 'done' })
    expect(seen).toMatchObject({ type: 'websocket', scheme: 'ws', path: '/chat', subprotocols: ['a', 'b'] })
    expect(Buffer.from(seen!.query_string).toString()).toBe('room=1')
    expect(server.errors).toEqual([])
  })

  test("without a subprotocol the client's offers are not answered", async () => {
    const app: AsgiApp = async (_scope, receive, send) => {
      await receive()
      await send({ type: 'websocket.accept' })
      await receive()
    }
    await using server = await run(app)
    const client = server.connect()
    await opened(client)
    expect(client.protocol).toBe('')
    client.close()
    await closed(client)
  })

  test.each([
    [
      'close code and reason',
      { type: 'websocket.close', code: 4002, reason: 'bye' } as SendEvent,
      [4002, 'bye'],
    ],
    ['no code', { type: 'websocket.close' } as SendEvent, [1000, '']],
  ])('the app closes: %s; then receive yields websocket.disconnect', async (_name, close, expected) => {
    const after = deferred<string>()
    const app: AsgiApp = async (_scope, receive, send) => {
      await receive()
      await send({ type: 'websocket.accept' })
      await send(close)
      after.resolve((await receive()).type)
    }
    await using server = await run(app)
    const client = server.connect()
    expect(await closed(client)).toEqual(expected)
    expect(await after.promise).toBe('websocket.disconnect')
  })

  test.each<[string, AsgiApp, number, number]>([
    ['returns', sending({ type: 'websocket.accept' }), 1000, 0],
    [
      'throws',
      async (...args) => {
        await sending({ type: 'websocket.accept' })(...args)
        throw new Error('x')
      },
      1011,
      1,
    ],
  ])('an app that %s closes the websocket', async (_name, app, code, errors) => {
    await using server = await run(app)
    expect((await closed(server.connect()))[0]).toBe(code)
    expect(server.errors).toHaveLength(errors)
  })

  test("refused with 403; with a response of the app's own; with 500 where the app fails", async () => {
    await using forbidden = await run(sending({ type: 'websocket.close' }))
    expect((await refused(forbidden.connect())).statusCode).toBe(403)

    const headers: [Buffer, Buffer][] = [[bytes('x-why'), bytes('login')]]
    await using denied = await run(
      sending(
        { type: 'websocket.http.response.start', status: 401, headers },
        { type: 'websocket.http.response.body', body: bytes('log '), more_body: true },
        { type: 'websocket.http.response.body', body: bytes('in') },
      ),
    )
    const response = await refused(denied.connect())
    expect([response.statusCode, response.headers['x-why'], await textOf(response)]).toEqual([
      401,
      'login',
      'log in',
    ])
    expect(denied.errors).toEqual([])

    await using failing = await run(async () => Promise.reject(new Error('boom')))
    expect((await refused(failing.connect())).statusCode).toBe(500)
    await using silent = await run(sending(), { validate: false })
    expect((await refused(silent.connect())).statusCode).toBe(500)
    expect(silent.errors).toEqual([expect.objectContaining({ code: 'HAVN_ERR_ASGI_WEBSOCKET_UNANSWERED' })])
  })

  test('ASGI_WEBSOCKET_SERVER_MISSING is a 501', async () => {
    await using server = await run(sending({ type: 'websocket.accept' }), { withServer: false })
    expect((await refused(server.connect())).statusCode).toBe(501)
    expect(server.errors).toEqual([
      expect.objectContaining({ code: 'HAVN_ERR_ASGI_WEBSOCKET_SERVER_MISSING' }),
    ])
  })

  test('a client that goes during the handshake is told', async () => {
    const event = deferred<unknown>()
    const sent = deferred<unknown>()
    const waiting = deferred()
    const app: AsgiApp = async (_scope, receive, send) => {
      await receive()
      waiting.resolve()
      event.resolve(await receive())
      await send({ type: 'websocket.accept' }).catch(sent.resolve)
    }
    await using server = await run(app)
    const key = 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'
    const socket = open(
      server.port,
      `GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${key}\r\n`,
    )
    await waiting.promise
    socket.destroy()
    expect(await event.promise).toEqual({ type: 'websocket.disconnect', code: 1006, reason: '' })
    expect(await sent.promise).toMatchObject({ code: 'HAVN_ERR_ASGI_DISCONNECTED' })
    expect(server.errors).toEqual([])
  })

  test('a client that is cut off gives 1006, and send rejects', async () => {
    const event = deferred<unknown>()
    const sent = deferred<unknown>()
    const app: AsgiApp = async (_scope, receive, send) => {
      await receive()
      await send({ type: 'websocket.accept' })
      event.resolve(await receive())
      await send({ type: 'websocket.send', text: 'x' }).catch(sent.resolve)
    }
    await using server = await run(app)
    const client = server.connect()
    await opened(client)
    client.terminate()
    expect(await event.promise).toEqual({ type: 'websocket.disconnect', code: 1006, reason: '' })
    expect(await sent.promise).toMatchObject({ code: 'HAVN_ERR_ASGI_DISCONNECTED' })
  })

  test('a flood waits in the client until the app receives; nothing is lost', async () => {
    const go = deferred()
    const all = deferred<number[]>()
    const app: AsgiApp = async (_scope, receive, send) => {
      await receive()
      await send({ type: 'websocket.accept' })
      await go.promise
      const numbers: number[] = []
      while (numbers.length < 500) numbers.push(Number(((await receive()) as { text: string }).text))
      all.resolve(numbers)
    }
    await using server = await run(app)
    const client = server.connect()
    await opened(client)
    for (let number = 0; number < 500; number++) client.send(String(number))
    go.resolve()
    expect(await all.promise).toEqual(Array.from({ length: 500 }, (_, number) => number))
    await closed(client)
  })

  test.each<[string, SendEvent[]]>([
    ['WEBSOCKET_NOT_ACCEPTED', [{ type: 'websocket.send', text: 'x' }]],
    ['WEBSOCKET_ACCEPTED_TWICE', [{ type: 'websocket.accept' }, { type: 'websocket.accept' }]],
    [
      'WEBSOCKET_CLOSED',
      [{ type: 'websocket.accept' }, { type: 'websocket.close' }, { type: 'websocket.send', text: 'x' }],
    ],
    ['WEBSOCKET_PAYLOAD', [{ type: 'websocket.accept' }, { type: 'websocket.send' }]],
    ['WEBSOCKET_CLOSE_CODE', [{ type: 'websocket.accept' }, { type: 'websocket.close', code: 1005 }]],
    [
      'WEBSOCKET_REASON',
      [{ type: 'websocket.accept' }, { type: 'websocket.close', reason: 'x'.repeat(200) }],
    ],
    ['WEBSOCKET_DENIAL', [{ type: 'websocket.http.response.body' }]],
    ['EVENT_TYPE', [{ type: 'http.response.start', status: 200 }]],
  ])('%s rejects send, without a validator too', async (code, events) => {
    await using server = await run(sending(...events), { validate: false })
    const client = server.connect()
    await Promise.race([closed(client), refused(client)])
    await expect
      .poll(() => server.errors)
      .toEqual([expect.objectContaining({ code: `HAVN_ERR_ASGI_${code}` })])
  })
})
