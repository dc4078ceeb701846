import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { promisify } from 'node:util'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { exchange, get, portOf } from './edge-server.ts'
import { addressOf, groupOf, named, startEdgeTo, startHttp, startSocket, stop } from './upstream-servers.ts'

const post = get('/', { 'Content-Length': '3' }, 'POST') + 'abc'
const chunked = get('/', { 'Transfer-Encoding': 'chunked' }, 'POST') + '3\r\nabc\r\n0\r\n\r\n'
const handshake = get('/ws', { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Key': 'abc' })

async function texts(port: number, requests: readonly string[]): Promise<string> {
  let all = ''
  for (const request of requests) all += (await exchange(port, request)).text
  return all
}

describe('a group', () => {
  test('shares plain and other requests out in turns', async () => {
    const servers = await Promise.all(['a', 'b'].map((name) => startHttp(named(name))))
    const { port } = await startEdgeTo(groupOf(servers))
    expect([...(await texts(port, [get('/'), post, get('/'), post, chunked, chunked]))].sort().join('')).toBe(
      'aaabbb',
    )
  })

  test('keeps its turns to the weights', async () => {
    const [a, b] = [await startHttp(named('a')), await startHttp(named('b'))]
    const servers = [{ address: addressOf(a), weight: 3 }, { address: addressOf(b) }]
    const { port } = await startEdgeTo({ upstream: { servers } })
    expect(await texts(port, Array<string>(8).fill(get('/')))).toBe('aabaaaba')
  })

  test('by least connections gives nothing to a server that is busy while another is idle', async () => {
    const busy = await startHttp((request, response) => {
      if (request.url !== '/slow') response.end('busy')
    })
    const idle = await startHttp(named('idle'))
    const config = groupOf([busy, idle], { balance: { type: 'least-connections' } })
    const { port } = await startEdgeTo(config)
    // Each server gets one of the first two: the one that went to the busy server stays there.
    const slow = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')]
    for (const client of slow) client.write(get('/slow'))
    onTestFinished(() => slow.forEach((client) => client.destroy()))
    await Promise.race(slow.map((client) => once(client, 'data')))
    const answers = await texts(port, Array<string>(5).fill(get('/')))
    expect(answers).toBe('idle'.repeat(5))
  })

  test('brings a client with its cookie back, and finds another server when its own is gone', async () => {
    const servers = await Promise.all(['a', 'b', 'c'].map((name) => startHttp(named(name))))
    const { port } = await startEdgeTo(groupOf(servers, { balance: { type: 'sticky', cookie: 'at' } }))
    const first = await exchange(port, get('/'))
    const cookie = first.headers['set-cookie']!
    expect(cookie).toMatch(/^at=[\w-]{16}; Path=\/; HttpOnly; SameSite=Lax$/)
    const returning = { Cookie: cookie.split(';')[0]! }
    for (const request of [
      get('/', returning),
      get('/', { ...returning, 'Content-Length': '3' }, 'POST') + 'abc',
    ]) {
      const answer = await exchange(port, request)
      expect(answer.text).toBe(first.text)
      expect(answer.headers).not.toHaveProperty('set-cookie')
    }
    await stop(servers['abc'.indexOf(first.text)]!)
    const other = await exchange(port, get('/', returning))
    expect(other.status).toBe(200)
    expect(other.text).not.toBe(first.text)
    const moved = other.headers['set-cookie']!.split(';')[0]!
    expect((await exchange(port, get('/', { Cookie: moved }))).text).toBe(other.text)
  })

  test('streams server-sent events as they come, each client from one server', async () => {
    const tick = Promise.withResolvers<void>()
    const listener = (name: string) =>
      startHttp((_request, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.write(`data: ${name}1\n\n`)
        void tick.promise.then(() => response.end(`data: ${name}2\n\n`))
      })
    const { port } = await startEdgeTo(groupOf([await listener('a'), await listener('b')]))
    const readers = await Promise.all(
      [1, 2].map(async () => (await fetch(`http://127.0.0.1:${port}/`)).body!.getReader()),
    )
    const read = async () =>
      (await Promise.all(readers.map(async (reader) => Buffer.from((await reader.read()).value!).toString())))
        .sort()
        .join('')
    expect(await read()).toBe('data: a1\n\ndata: b1\n\n')
    tick.resolve()
    expect(await read()).toBe('data: a2\n\ndata: b2\n\n')
  })

  test('opens tunnels, past a server that is not there', async () => {
    const gone = await startHttp(named('gone'))
    const upstream = createServer().listen(0, '127.0.0.1')
    upstream.on('upgrade', (_request, socket) => {
      socket.write('HTTP/1.1 101 OK\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
      socket.pipe(socket)
    })
    await once(upstream, 'listening')
    onTestFinished(() => void upstream.close())
    const config = groupOf([gone, upstream], { balance: { type: 'sticky' } })
    await stop(gone)
    const { port } = await startEdgeTo(config)
    for (let n = 0; n < 3; n++) {
      const client = connect(port, '127.0.0.1')
      let text = ''
      client.on('data', (data) => (text += data.toString()))
      client.write(handshake)
      await vi.waitFor(() =>
        expect(text).toMatch(/^HTTP\/1\.1 101 [^]*Set-Cookie: havn_server=[^]*\r\n\r\n$/),
      )
      client.end('echo')
      await once(client, 'close')
      expect(text).toMatch(/echo$/)
    }
  })
})

describe('a server that cannot be reached', () => {
  test.each([
    ['a GET', get('/')],
    ['a POST', post],
    ['a POST whose body is streamed', chunked],
  ])('costs %s nothing while there is another', async (_name, request) => {
    const servers = await Promise.all(['a', 'b'].map((name) => startHttp(named(name))))
    const { port } = await startEdgeTo(groupOf(servers, { circuit: { failures: 1000 } }))
    await stop(servers[0]!)
    expect(await texts(port, Array<string>(4).fill(request))).toBe('bbbb')
  })

  test('is 502 where no retry is left, by number or by budget', async () => {
    const servers = await Promise.all(['a', 'b'].map((name) => startHttp(named(name))))
    const circuit = { failures: 1000 }
    const one = await startEdgeTo(groupOf(servers, { circuit, retry: { tries: 1 } }))
    const none = await startEdgeTo(groupOf(servers, { circuit, retry: { share: 0, perSecond: 0 } }))
    await stop(servers[0]!)
    for (const { port } of [one, none]) {
      const statuses = [await exchange(port, get('/')), await exchange(port, get('/'))].map(
        ({ status }) => status,
      )
      expect(statuses.sort()).toEqual([200, 502])
    }
  })

  test('is left out after failures in a row, and back once a request got through', async () => {
    let refused = 0
    const lines: string[] = []
    const note = (fields: object, text: string) =>
      void lines.push(`${text} ${(fields as { server?: string }).server}`)
    const logger = { debug() {}, info: note, warn: note, error() {} }
    const bad = await startHttp((request) => {
      refused += 1
      request.socket.destroy()
    })
    const good = await startHttp(named('good'))
    const circuit = { failures: 2, openMs: 300 }
    const { port } = await startEdgeTo(groupOf([bad, good], { circuit }), { logger })
    const ask = async (times: number) => {
      for (let n = 0; n < times; n++) await exchange(port, post)
    }
    await ask(10)
    expect(refused).toBe(2)
    bad.removeAllListeners('request').on('request', named('bad'))
    await vi.waitFor(
      async () =>
        expect(await texts(port, Array<string>(4).fill(get('/')))).toMatch(/^(?=.*bad.*bad).*good.*good/),
      { timeout: 5_000 },
    )
    const server = `127.0.0.1:${portOf(bad)}`
    expect(lines).toContain(`A server of an upstream is left out for a while ${server}`)
    expect(lines.at(-1)).toBe(`A server of an upstream is back ${server}`)
  })

  test('is left out for statuses that are named, which their clients still get', async () => {
    let seen = 0
    const bad = await startHttp((_request, response) => {
      seen += 1
      response.writeHead(503).end('bad')
    })
    const circuit = { failures: 2, statuses: [503], openMs: 60_000 }
    const { port } = await startEdgeTo(groupOf([bad, await startHttp(named('good'))], { circuit }))
    expect(await texts(port, Array<string>(8).fill(get('/')))).toBe('badgoodbadgoodgoodgoodgoodgood')
    expect(seen).toBe(2)
  })

  test('is tried all the same when every other is left out too', async () => {
    const servers = await Promise.all(['a', 'b'].map((name) => startHttp(named(name))))
    const ports = servers.map(portOf)
    const { port } = await startEdgeTo(groupOf(servers, { circuit: { failures: 1, openMs: 60_000 } }))
    for (const server of servers) await stop(server)
    expect((await exchange(port, get('/'))).status).toBe(502)
    await startHttp(named('back'), ports[1])
    expect((await exchange(port, get('/'))).text).toBe('back')
  })

  test('is never sent again what it may have seen', async () => {
    let seen = 0
    const mean = () => startSocket((socket) => socket.once('data', () => (seen++, socket.destroy())))
    const { port } = await startEdgeTo(groupOf([await mean(), await mean()]))
    for (const request of [get('/'), post, chunked]) expect((await exchange(port, request)).status).toBe(502)
    expect(seen).toBe(3)
  })
})

describe('while no server can be had', () => {
  test('what a server left unanswered waits, too, when it does no harm twice, and goes out so often at most', async () => {
    let seen = 0
    const mean = await startSocket((socket) => socket.once('data', () => (seen++, socket.destroy())))
    const { port } = await startEdgeTo(groupOf([mean], { holdMs: 10_000, retry: { tries: 4 } }))
    const remove = get('/', {}, 'DELETE')
    for (const [request, times] of [
      [get('/'), 4],
      [remove, 4],
      [handshake, 4],
      [post, 1],
      [chunked, 1],
    ] as const) {
      seen = 0
      expect([(await exchange(port, request)).status, seen]).toEqual([502, times])
    }
  })

  const waiting = (port: number) => [get('/'), post, chunked].map((request) => exchange(port, request))

  test.each([['address'], ['servers']])('requests wait until one is back (%s)', async (form) => {
    const old = await startHttp(named('old'))
    const at = portOf(old)
    const group = groupOf([old], { holdMs: 10_000, circuit: { failures: 1 } })
    const single = { upstream: { address: addressOf(old), holdMs: 10_000 } }
    const { port } = await startEdgeTo(form === 'address' ? single : group)
    expect((await exchange(port, get('/'))).text).toBe('old')
    await stop(old)
    const answers = waiting(port)
    const tunnel = exchange(port, handshake)
    // Long enough for all of them to have been refused.
    await new Promise((resolve) => setTimeout(resolve, 250))
    const fresh = await startHttp(named('new'), at)
    fresh.on('upgrade', (_request, socket) =>
      socket.end('HTTP/1.1 101 OK\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhi'),
    )
    expect((await Promise.all(answers)).map(({ text }) => text)).toEqual(['new', 'new', 'new'])
    expect((await tunnel).text).toBe('hi')
  })

  test('those that waited as long as they may get 503, and so does one too many', async () => {
    const servers = await Promise.all([startHttp(named('a')), startHttp(named('b'))])
    const { port } = await startEdgeTo(groupOf(servers, { holdMs: 400, holdLimit: 3 }))
    for (const server of servers) await stop(server)
    const held = waiting(port)
    await new Promise((resolve) => setTimeout(resolve, 100))
    const tooMany = await exchange(port, get('/'))
    expect(tooMany.status).toBe(503)
    for (const answer of [tooMany, ...(await Promise.all(held))]) {
      expect(answer.status).toBe(503)
      expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(1)
    }
    const refused = await exchange(port, handshake)
    expect(refused).toMatchObject({ status: 503, headers: { 'retry-after': expect.any(String) } })
  })

  test('a client that leaves gives up its place', async () => {
    const server = await startHttp(named('a'))
    const at = portOf(server)
    const { port } = await startEdgeTo(groupOf([server], { holdMs: 10_000, holdLimit: 1 }))
    await stop(server)
    for (const request of [get('/'), post, handshake]) {
      const leaving = connect(port, '127.0.0.1')
      leaving.write(request)
      await new Promise((resolve) => setTimeout(resolve, 100))
      expect((await exchange(port, get('/'))).status).toBe(503)
      leaving.destroy()
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    const last = exchange(port, get('/'))
    await startHttp(named('back'), at)
    expect((await last).text).toBe('back')
  })

  test('an update brings the server that they wait for', async () => {
    const old = await startHttp(named('old'))
    const edge = await startEdgeTo(groupOf([old], { holdMs: 10_000 }))
    await stop(old)
    const answers = waiting(edge.port)
    await new Promise((resolve) => setTimeout(resolve, 100))
    await edge.update(groupOf([await startHttp(named('new'))]))
    expect((await Promise.all(answers)).map(({ text }) => text)).toEqual(['new', 'new', 'new'])
  })
})

describe('an update of a group', () => {
  test('keeps the servers that stay, with their connections, and drains those that go', async () => {
    let opened = 0
    const release = Promise.withResolvers<void>()
    const arrived = Promise.withResolvers<void>()
    const staying = await startHttp(named('stay'))
    staying.on('connection', () => (opened += 1))
    const going = await startHttp((request, response) => {
      if (request.url !== '/slow') return void response.end('go')
      arrived.resolve()
      void release.promise.then(() => response.end('slow'))
    })
    const edge = await startEdgeTo(groupOf([going, staying]))
    expect(await texts(edge.port, [get('/'), get('/')])).toBe('gostay')
    const slow = exchange(edge.port, get('/slow'))
    await arrived.promise
    let isUpdated = false
    const updated = Promise.resolve(edge.update(groupOf([staying]))).then(() => (isUpdated = true))
    expect(await texts(edge.port, Array<string>(4).fill(get('/')))).toBe('stay'.repeat(4))
    expect(isUpdated).toBe(false)
    release.resolve()
    expect((await slow).text).toBe('slow')
    await updated
    expect(opened).toBe(1)
    const connections = promisify(going.getConnections.bind(going))
    await vi.waitFor(async () => expect(await connections()).toBe(0))
  })

  test('forgets nothing of how a server does', async () => {
    const bad = await startHttp(named('bad'))
    const good = await startHttp(named('good'))
    const more = { circuit: { failures: 1, openMs: 60_000 } }
    const edge = await startEdgeTo(groupOf([bad, good], more))
    const at = portOf(bad)
    await stop(bad)
    await exchange(edge.port, get('/'))
    await startHttp(named('bad'), at)
    const reweighed = [
      { address: { type: 'tcp' as const, host: '127.0.0.1', port: at }, weight: 5 },
      { address: addressOf(good) },
    ]
    await edge.update({ upstream: { servers: reweighed, ...more } })
    expect(await texts(edge.port, Array<string>(4).fill(get('/')))).toBe('good'.repeat(4))
  })

  test('lets a server that comes have its part little by little', async () => {
    const [old, fresh] = [await startHttp(named('a')), await startHttp(named('b'))]
    const edge = await startEdgeTo(groupOf([old], { slowStartMs: 600_000 }))
    await edge.update(groupOf([old, fresh], { slowStartMs: 600_000 }))
    expect(await texts(edge.port, Array<string>(15).fill(get('/')))).toMatch(/^a*ba*$/)
  })
})

test.each([
  ['neither address nor servers', {}, /upstream: needs either address.* or servers/],
  [
    'both',
    { address: { type: 'unix', path: '/a' }, servers: [{ address: { type: 'unix', path: '/a' } }] },
    /upstream: needs either/,
  ],
  [
    'a server twice',
    { servers: [{ address: { type: 'unix', path: '/a' } }, { address: { path: '/a', type: 'unix' } }] },
    /upstream\.servers\.1\.address: is in the group twice/,
  ],
])('a group with %s is refused', async (_name, upstream, message) => {
  await expect(startEdgeTo({ upstream } as never)).rejects.toMatchObject({
    code: 'HAVN_ERR_EDGE_CONFIG',
    message: expect.stringMatching(message),
  })
})
