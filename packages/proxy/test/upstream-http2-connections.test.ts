import { setTimeout as sleep } from 'node:timers/promises'
import { once } from 'node:events'
import type { IncomingHttpHeaders } from 'node:http2'
import { connect } from 'node:net'
import { describe, expect, test, vi } from 'vitest'
import { exchange, get } from './edge-server.ts'
import { http2To, startHttp2, startHttp2Edge, stopHttp2 } from './http2-servers.ts'
import type { Http2Listener } from './http2-servers.ts'
import type { UpstreamOptions } from './upstream-servers.ts'
import { addressOf, named, startEdgeTo, startHttp } from './upstream-servers.ts'
import { echo, unchunked, chunked } from './http2-requests.ts'

describe('connections', () => {
  /** Answers once it has so many requests. */
  function together(count: number): Http2Listener {
    const waiting: (() => void)[] = []
    return (request, response) => {
      request.resume()
      waiting.push(() => response.end('done'))
      if (waiting.length >= count) for (const end of waiting.splice(0)) end()
    }
  }

  test('are shared by as many requests as the server takes, and no more are opened than it needs', async () => {
    const upstream = await startHttp2(together(9), { settings: { maxConcurrentStreams: 3 } })
    const { port } = await startEdgeTo(http2To(upstream))
    const answers = await Promise.all(Array.from({ length: 9 }, () => exchange(port, get('/'))))
    expect(answers.map(({ status }) => status)).toEqual(Array(9).fill(200))
    expect(upstream.sessions).toHaveLength(3)
  })

  test('are no more than may be: requests wait for a place, in line', async () => {
    const upstream = await startHttp2(together(2), { settings: { maxConcurrentStreams: 2 } })
    const { port } = await startEdgeTo(http2To(upstream, { maxConnections: 1 }))
    const answers = await Promise.all(Array.from({ length: 8 }, () => exchange(port, get('/'))))
    expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(200))
    expect(upstream.sessions).toHaveLength(1)
  })

  test('with no place in time are a 504', async () => {
    const upstream = await startHttp2(() => {}, { settings: { maxConcurrentStreams: 1 } })
    const { port } = await startEdgeTo(http2To(upstream, { maxConnections: 1, connectTimeoutMs: 200 }))
    void exchange(port, get('/first'))
    await vi.waitFor(() => expect(upstream.sessions).toHaveLength(1))
    expect((await exchange(port, get('/second'))).status).toBe(504)
  })

  test('that nobody uses are closed', async () => {
    const upstream = await startHttp2(echo)
    const { port } = await startEdgeTo(http2To(upstream, { keepAliveMs: 100 }))
    expect((await exchange(port, get('/'))).status).toBe(200)
    await vi.waitFor(() => expect(upstream.sessions[0]!.destroyed).toBe(true))
    expect((await exchange(port, get('/'))).status).toBe(200)
    expect(upstream.sessions).toHaveLength(2)
  })

  test('are asked whether they live, where that is wanted', async () => {
    const upstream = await startHttp2(() => {})
    const pings = vi.fn()
    upstream.server.on('session', (session) => session.on('ping', pings))
    const { port } = await startEdgeTo(http2To(upstream, { pingMs: 1_000 }))
    void exchange(port, get('/'))
    await vi.waitFor(() => expect(pings).toHaveBeenCalled(), 5_000)
  })

  test('end with an update that has another server, once what is on them is answered', async () => {
    const release: (() => void)[] = []
    const upstream = await startHttp2((request, response) => {
      request.resume()
      release.push(() => response.end('old'))
    })
    const next = await startHttp(named('new'))
    const edge = await startEdgeTo(http2To(upstream))
    const before = exchange(edge.port, get('/'))
    await vi.waitFor(() => expect(release).toHaveLength(1))
    const updated = edge.update({ upstream: { address: addressOf(next) } })
    expect((await exchange(edge.port, get('/'))).text).toBe('new')
    release[0]!()
    expect(unchunked((await before).text)).toBe('old')
    await updated
    await vi.waitFor(() => expect(upstream.sessions[0]!.destroyed).toBe(true))
  })
})

describe('groups', () => {
  const group = (servers: { server: { address(): unknown } }[], more: UpstreamOptions = {}) => ({
    upstream: {
      servers: servers.map(({ server }) => ({ address: addressOf(server) })),
      protocol: 'http/2' as const,
      ...more,
    },
  })
  const says =
    (name: string): Http2Listener =>
    (request, response) => {
      request.resume().once('end', () => response.end(name))
    }

  test('leave out who is not there, and take turns', async () => {
    const servers = await Promise.all(['a', 'b', 'c'].map((name) => startHttp2(says(name))))
    const edge = await startEdgeTo(group(servers, { circuit: { openMs: 60_000, failures: 1 } }))
    await stopHttp2(servers[1]!)
    const seen = new Set<string>()
    for (let n = 0; n < 6; n++) {
      const { status, text } = await exchange(edge.port, n % 2 === 0 ? get('/') : chunked('abc'))
      expect(status).toBe(200)
      seen.add(unchunked(text))
    }
    expect([...seen].sort()).toEqual(['a', 'c'])
    expect(edge.status().servers[1]).toMatchObject({ state: 'left-out' })
  })

  test('stick by cookie', async () => {
    const servers = await Promise.all(['a', 'b'].map((name) => startHttp2(says(name))))
    const { port } = await startEdgeTo(group(servers, { balance: { type: 'sticky' } }))
    const first = await exchange(port, get('/'))
    const cookie = first.headers['set-cookie']!.split(';')[0]!
    for (let n = 0; n < 4; n++)
      expect(unchunked((await exchange(port, get('/', { Cookie: cookie }))).text)).toBe(unchunked(first.text))
  })

  test('heed health checks', async () => {
    let isWell = true
    const servers = await Promise.all([
      startHttp2((request, response) => {
        response.statusCode = isWell || request.url !== '/health' ? 200 : 503
        response.end('a')
      }),
      startHttp2(says('b')),
    ])
    const health = { path: '/health', intervalMs: 100, unhealthyAfter: 1, healthyAfter: 1 }
    const edge = await startEdgeTo(group(servers, { health }))
    isWell = false
    await vi.waitFor(() => expect(edge.status().servers[0]).toMatchObject({ state: 'unhealthy' }), 5_000)
    for (let n = 0; n < 4; n++) expect(unchunked((await exchange(edge.port, get('/'))).text)).toBe('b')
    isWell = true
    await vi.waitFor(() => expect(edge.status().servers[0]).toMatchObject({ state: 'ready' }), 5_000)
  })

  test('hold requests until the server is back', async () => {
    const first = await startHttp2(says('first'))
    const { port: at } = first.server.address() as { port: number }
    const { port } = await startEdgeTo(group([first], { holdMs: 10_000 }))
    expect((await exchange(port, get('/'))).status).toBe(200)
    await stopHttp2(first)
    const waiting = [exchange(port, get('/')), exchange(port, chunked('abc'))]
    await sleep(200)
    await startHttp2(says('second'), { port: at })
    for (const { status, text } of await Promise.all(waiting)) {
      expect(status).toBe(200)
      expect(unchunked(text)).toBe('second')
    }
  })
})

describe('a client', () => {
  test('that leaves takes its request along, in either lane and version', async () => {
    const codes: (number | undefined)[] = []
    const upstream = await startHttp2(({ stream }, response) => {
      response.write('begun')
      stream.once('close', () => codes.push(stream.rstCode))
    })
    const { edge, client } = await startHttp2Edge(http2To(upstream))
    const plain = await startEdgeTo(http2To(upstream))
    for (const request of [get('/'), chunked('abc').slice(0, -5)]) {
      const socket = connect(plain.port, '127.0.0.1').on('error', () => {})
      socket.write(request)
      await once(socket, 'data')
      socket.destroy()
    }
    const stream = client.request({ ':authority': 'shop.test' }).on('error', () => {})
    await once(stream, 'data')
    stream.close(0x8)
    await vi.waitFor(() => expect(codes).toEqual([0x8, 0x8, 0x8]), 5_000)
    await vi.waitFor(() => expect(edge.status().servers[0]).toMatchObject({ inFlight: 0, failures: 0 }))
  })

  test('that reads nothing is written for no more than the windows hold', async () => {
    let written = 0
    const upstream = await startHttp2(({ stream }) => {
      stream.respond({ ':status': 200 })
      const more = () => {
        if (stream.destroyed || written > 64 * 1024 * 1024) return
        stream.write(Buffer.alloc(16 * 1024), () => {
          written += 16 * 1024
          more()
        })
      }
      more()
    })
    const { client } = await startHttp2Edge(http2To(upstream))
    const stream = client.request({ ':authority': 'shop.test' }).on('error', () => {})
    await once(stream, 'response')
    stream.pause()
    let before = -1
    await vi.waitFor(
      () => {
        const isStill = written === before
        before = written
        expect(isStill).toBe(true)
      },
      { timeout: 10_000, interval: 500 },
    )
    expect(written).toBeLessThan(4 * 1024 * 1024)
  })

  test('that sends its body slowly, and one that sends more than its server takes, get their answers', async () => {
    const upstream = await startHttp2((request, response) => {
      if (request.url === '/early') response.end('early')
      else request.pipe(response)
    })
    const { client } = await startHttp2Edge(http2To(upstream))
    const early = client.request({ ':authority': 'shop.test', ':method': 'POST', ':path': '/early' })
    early.on('error', () => {}).write('x')
    const [headers] = (await once(early, 'response')) as [IncomingHttpHeaders]
    expect(headers[':status']).toBe(200)
    let text = ''
    for await (const part of early) text += String(part)
    expect(text).toBe('early')
    const slow = client.request({ ':authority': 'shop.test', ':method': 'POST' })
    for (const part of ['a', 'b', 'c']) {
      slow.write(part)
      const [answer] = (await once(slow, 'data')) as [Buffer]
      expect(String(answer)).toBe(part)
    }
    slow.end()
  })
})
