import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { readCounters } from '../src/dispatch/counters.ts'
import { exchangeRaw, fetchFrom, keepAliveAgent, startFront, until } from './python-host-setup.ts'
import type { PythonFront } from './python-host-setup.ts'
import { hasPython, startPython } from './python-host-process.ts'

const app = String.raw`
import asyncio, hashlib, json, os

seen = []

async def read_all(receive):
    digest, size = hashlib.sha256(), 0
    while True:
        event = await receive()
        if event['type'] == 'http.disconnect':
            seen.append('disconnect')
            return None, size
        digest.update(event['body']); size += len(event['body'])
        if not event.get('more_body'):
            return digest.hexdigest(), size

async def answer(send, body=b'', status=200, headers=()):
    await send({'type': 'http.response.start', 'status': status, 'headers': list(headers)})
    await send({'type': 'http.response.body', 'body': body})

async def lifespan(scope, receive, send):
    while True:
        event = await receive()
        if event['type'] == 'lifespan.startup':
            scope['state']['name'] = 'from startup'
            await send({'type': 'lifespan.startup.complete'})
        else:
            with open(os.environ['STOPPED'], 'w') as file: file.write('clean')
            await send({'type': 'lifespan.shutdown.complete'})
            return

async def http(scope, receive, send):
    path = scope['path']
    if path == '/scope':
        shown = {key: repr(scope[key]) for key in ('http_version', 'method', 'scheme', 'path', 'raw_path', 'query_string', 'root_path', 'client', 'server', 'headers')}
        await answer(send, json.dumps({**shown, 'state': scope['state']}).encode())
    elif path == '/digest':
        digest, size = await read_all(receive)
        await answer(send, f'{digest} {size}'.encode())
    elif path == '/stream':
        await send({'type': 'http.response.start', 'status': 200, 'headers': []})
        for n in range(1000):
            await send({'type': 'http.response.body', 'body': b'x' * 50000, 'more_body': n < 999})
    elif path == '/hang':
        await read_all(receive)
        event = await receive()
        seen.append(event['type'])
    elif path == '/seen':
        await answer(send, json.dumps(seen).encode())
    elif path == '/early':
        await answer(send, b'enough')
    elif path == '/raise':
        raise ValueError('trouble')
    elif path == '/capital':
        await answer(send, b'abc', headers=[(b'Content-Length', b'3')])
    else:
        await answer(send, b'hello')

async def websocket(scope, receive, send):
    path = scope['path']
    assert (await receive())['type'] == 'websocket.connect'
    if path == '/deny':
        await send({'type': 'websocket.http.response.start', 'status': 402, 'headers': [(b'x-price', b'high')]})
        await send({'type': 'websocket.http.response.body', 'body': b'pay ', 'more_body': True})
        await send({'type': 'websocket.http.response.body', 'body': b'first'})
        return
    if path == '/forbid':
        await send({'type': 'websocket.close'})
        return
    if path == '/raise':
        raise ValueError('before accept')
    if path == '/never':
        seen.append((await receive())['code'])
        return
    headers = [(b'x-room', b'1')]
    protocol = scope['subprotocols'][-1] if scope['subprotocols'] else None
    await send({'type': 'websocket.accept', 'subprotocol': protocol, 'headers': headers})
    if path == '/close':
        await send({'type': 'websocket.close', 'code': 4001, 'reason': 'enough é'})
        return
    if path == '/flood':
        for n in range(400):
            await send({'type': 'websocket.send', 'bytes': b'y' * 100000})
        return
    while True:
        event = await receive()
        if event['type'] == 'websocket.disconnect':
            seen.append([event['code'], event.get('reason')])
            return
        if event.get('text') == 'raise':
            raise ValueError('while open')
        if event.get('text') is not None:
            await send({'type': 'websocket.send', 'text': event['text']})
        else:
            await send({'type': 'websocket.send', 'bytes': event['bytes']})

async def application(scope, receive, send):
    await {'lifespan': lifespan, 'http': http, 'websocket': websocket}[scope['type']](scope, receive, send)
`

async function serve(options: Parameters<typeof startFront>[1] = {}): Promise<PythonFront> {
  const front = await startFront('asgi', options)
  await startPython(front, { source: app, env: { STOPPED: `${front.directory}/stopped` } })
  return front
}

const seenBy = async (front: PythonFront) => JSON.parse((await fetchFrom(front, '/seen')).text) as unknown[]

function open(front: PythonFront, path: string, protocols: string[] = []): WebSocket {
  const socket = new WebSocket(`ws://127.0.0.1:${front.port}${path}`, protocols)
  socket.on('error', () => {})
  onTestFinished(() => socket.terminate())
  return socket
}

const once = (socket: WebSocket, event: string) =>
  new Promise<unknown[]>((resolve) => socket.once(event, (...all: unknown[]) => resolve(all)))

describe.skipIf(!hasPython)('an ASGI app in CPython', () => {
  it('gets its scope, its lifespan’s state in it', async () => {
    const front = await serve()
    const raw =
      'GET /./sc%6Fpe?a=%20 HTTP/1.1\r\nHost: shop.test\r\nX-A: 1\r\nX-A: 2\r\nConnection: close\r\n\r\n'
    const text = await exchangeRaw(front, raw)
    const scope = JSON.parse(text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1))
    expect(scope).toMatchObject({
      http_version: `'1.1'`,
      method: `'GET'`,
      scheme: `'http'`,
      path: `'/scope'`,
      raw_path: `b'/./sc%6Fpe'`,
      query_string: `b'a=%20'`,
      root_path: `''`,
      server: `('127.0.0.1', ${front.port})`,
      state: { name: 'from startup' },
    })
    const headers = `[(b'host', b'shop.test'), (b'x-a', b'1'), (b'x-a', b'2'), (b'x-request-id', b'request-1')]`
    expect(scope.headers).toBe(headers)
    expect(front.ready[0]?.info).toMatchObject({ host: 'cpython', threads: 0, lifespan: 'on' })
  })

  it('answers once where it gives a Content-Length in capitals', async () => {
    const front = await serve()
    const { rawHeaders, text } = await fetchFrom(front, '/capital')
    expect(text).toBe('abc')
    expect(rawHeaders.filter((name) => name.toLowerCase() === 'content-length')).toHaveLength(1)
  })

  it('takes 50 MB up and sends 50 MB down', async () => {
    const front = await serve()
    const body = randomBytes(50_000_000)
    const up = await fetchFrom(front, '/digest', { method: 'POST', body })
    expect(up.text).toMatch(/^[0-9a-f]{64} 50000000$/)
    expect((await fetchFrom(front, '/stream')).body.length).toBe(50_000_000)
  }, 60_000)

  it('goes on for others while one client does not read', async () => {
    const front = await serve()
    const slow = connect(front.port, '127.0.0.1', () => slow.write('GET /stream HTTP/1.1\r\nHost: a\r\n\r\n'))
    slow.pause()
    onTestFinished(() => void slow.destroy())
    await until(() => front.host.status().active === 1)
    for (let n = 0; n < 3; n++) expect((await fetchFrom(front, '/stream')).body.length).toBe(50_000_000)
    expect(front.host.status().active).toBeGreaterThanOrEqual(1)
  }, 60_000)

  it('hears that its client left, and the stream is free', async () => {
    const front = await serve()
    const socket = connect(front.port, '127.0.0.1', () =>
      socket.write('GET /hang HTTP/1.1\r\nHost: a\r\n\r\n'),
    )
    await until(() => front.host.status().workers[0]?.inFlight === 1)
    socket.destroy()
    await until(async () => (await seenBy(front)).includes('http.disconnect'))
    await until(() => front.host.status().workers[0]?.inFlight === 0)
    expect(readCounters(front.counters).cancelled).toBe(1)
  })

  it('may answer before it has read the body; the connection lives', async () => {
    const front = await serve()
    const agent = keepAliveAgent()
    for (let n = 0; n < 3; n++) {
      const answer = await fetchFrom(front, '/early', {
        method: 'POST',
        body: Buffer.alloc(1_000_000),
        agent,
      })
      expect(answer.text).toBe('enough')
    }
    await until(() => front.host.status().workers[0]?.inFlight === 0)
  })

  it('that raises answers 500, and says why in the log', async () => {
    const front = await serve()
    expect((await fetchFrom(front, '/raise')).status).toBe(500)
    await until(() => front.lines.some((line) => String(line['traceback']).includes('ValueError: trouble')))
  })

  it('is retired: its websockets are closed with 1012, its lifespan ends, and then the process', async () => {
    const front = await serve()
    const socket = open(front, '/echo')
    await once(socket, 'open')
    const closed = once(socket, 'close')
    front.host.retire(1)
    expect((await closed)[0]).toBe(1012)
    await until(() => front.gone.length === 1)
    expect(front.gone).toMatchObject([{ worker: 1, why: { expected: true } }])
    expect(front.lines.filter(({ level }) => level === 'error')).toEqual([])
  })

  it('is drained: its lifespan ends, and then the process', async () => {
    const front = await serve()
    const socket = open(front, '/echo')
    await once(socket, 'open')
    const closed = once(socket, 'close')
    await front.host.drain()
    expect((await closed)[0]).toBe(1012)
    await front.host.close()
    expect(front.gone).toMatchObject([{ worker: 1, why: { expected: true } }])
    expect(await readFile(`${front.directory}/stopped`, 'utf8')).toBe('clean')
  })
})

describe.skipIf(!hasPython)('a websocket in CPython', () => {
  it('is accepted with the app’s subprotocol and headers, and echoes', async () => {
    const front = await serve()
    const socket = open(front, '/echo', ['a', 'b'])
    const upgraded = once(socket, 'upgrade')
    await once(socket, 'open')
    const [response] = (await upgraded) as [{ headers: Record<string, string> }]
    expect(response.headers['x-room']).toBe('1')
    expect(socket.protocol).toBe('b')
    expect(readCounters(front.counters).webSockets).toBe(1)
    expect(front.records[0]).toMatchObject({ status: 101, worker: 1, queueMs: 0 })
    const big = randomBytes(1_000_000)
    for (const message of ['hé', 'x'.repeat(200_000), big]) {
      socket.send(message)
      const [data, isBinary] = (await once(socket, 'message')) as [Buffer, boolean]
      expect(isBinary).toBe(typeof message !== 'string')
      expect(data.equals(Buffer.from(message))).toBe(true)
    }
    socket.close(4002, 'bye')
    await until(async () => JSON.stringify(await seenBy(front)).includes('[4002,"bye"]'))
    await until(() => front.host.status().workers[0]?.inFlight === 0)
    expect(readCounters(front.counters).webSockets).toBe(0)
  })

  it('is closed by the app with its code and reason', async () => {
    const front = await serve()
    const socket = open(front, '/close')
    const [code, reason] = (await once(socket, 'close')) as [number, Buffer]
    expect([code, reason.toString()]).toEqual([4001, 'enough é'])
  })

  it('is refused with a response, or with 403', async () => {
    const front = await serve()
    const denied = open(front, '/deny')
    const [, response] = (await once(denied, 'unexpected-response')) as [unknown, NodeJS.ReadableStream]
    const { statusCode, headers } = response as unknown as {
      statusCode: number
      headers: Record<string, string>
    }
    let body = ''
    for await (const chunk of response) body += chunk
    expect([statusCode, headers['x-price'], body]).toEqual([402, 'high', 'pay first'])
    const [, forbidden] = (await once(open(front, '/forbid'), 'unexpected-response')) as [
      unknown,
      { statusCode: number },
    ]
    expect(forbidden.statusCode).toBe(403)
    expect(front.records.map(({ status }) => status)).toEqual([402, 403])
    await until(() => front.host.status().workers[0]?.inFlight === 0)
    await until(() => front.host.status().active === 0)
  })

  it('whose app raises is 500 before accept, and 1011 after', async () => {
    const front = await serve()
    const [, response] = (await once(open(front, '/raise'), 'unexpected-response')) as [
      unknown,
      { statusCode: number },
    ]
    expect(response.statusCode).toBe(500)
    const socket = open(front, '/echo')
    await once(socket, 'open')
    socket.send('raise')
    expect((await once(socket, 'close'))[0]).toBe(1011)
  })

  it('tells the app 1006 when the client vanishes, before and after accept', async () => {
    const front = await serve()
    const early = open(front, '/never')
    await until(() => front.host.status().workers[0]?.inFlight === 1)
    early.terminate()
    await until(async () => (await seenBy(front)).includes(1006))
    const late = open(front, '/echo')
    await once(late, 'open')
    late.terminate()
    await until(async () => JSON.stringify(await seenBy(front)).includes('[1006,'))
    await until(() => front.host.status().workers[0]?.inFlight === 0)
    await until(() => front.host.status().active === 0)
  })

  it('is dropped when its client no longer answers pings, and kept when it does', async () => {
    const front = await serve({ webSocketPingMs: 100 })
    const deaf = new WebSocket(`ws://127.0.0.1:${front.port}/echo`, { autoPong: false })
    const alive = open(front, '/echo')
    const pings = Promise.all([once(alive, 'ping').then(() => once(alive, 'ping')), once(deaf, 'close')])
    await once(alive, 'open')
    const [, [code]] = await pings
    expect([code, alive.readyState]).toEqual([1006, WebSocket.OPEN])
    await until(async () => JSON.stringify(await seenBy(front)).includes('[1006,'))
  })

  it('holds the app to what a slow client takes, and loses nothing', async () => {
    const front = await serve()
    const socket = open(front, '/flood')
    let bytes = 0
    socket.on('message', (data: Buffer) => (bytes += data.length))
    await once(socket, 'open')
    socket.pause()
    expect((await fetchFrom(front)).text).toBe('hello')
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(front.host.status().workers[0]?.inFlight).toBe(1)
    socket.resume()
    await once(socket, 'close')
    expect(bytes).toBe(40_000_000)
  }, 60_000)

  it('with a message beyond the limit is closed with 1009', async () => {
    const front = await serve({ limits: { maxWebSocketMessageBytes: 1_000_000 } })
    const socket = open(front, '/echo')
    await once(socket, 'open')
    socket.send(Buffer.alloc(1_000_000))
    expect(((await once(socket, 'message'))[0] as Buffer).length).toBe(1_000_000)
    socket.send(Buffer.alloc(1_000_001))
    expect((await once(socket, 'close'))[0]).toBe(1009)
    await until(async () => JSON.stringify(await seenBy(front)).includes('[1009,'))
  })

  it('with a bad handshake gets 400, and the app hears nothing', async () => {
    const front = await serve()
    const text = await exchangeRaw(
      front,
      'GET /echo HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short\r\n\r\n',
    )
    expect(text).toMatch(/^HTTP\/1.1 400 /)
    expect(front.host.status().workers[0]?.inFlight).toBe(0)
  })

  it('is closed with 1011 when its worker dies', async () => {
    const front = await serve()
    const socket = open(front, '/echo')
    await once(socket, 'open')
    const closed = once(socket, 'close')
    process.kill(front.ready[0]?.info.pid as number, 'SIGKILL')
    expect((await closed)[0]).toBe(1011)
    await until(() => front.gone.length === 1)
    expect(readCounters(front.counters)).toMatchObject({ inFlight: 0 })
  })
})
