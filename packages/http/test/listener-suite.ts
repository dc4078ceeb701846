import type { Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import { echoOf, exchange } from './raw-exchange.ts'
import type { StartEcho } from './raw-exchange.ts'
import { chunked, get, oversizedRequests, post, refusedRequests } from './refused-requests.ts'

/** What holds for every listener, whichever parser reads a request. */
export function listenerSuite(startEcho: StartEcho): void {
  describe('is refused, and the connection closed', () => {
    test.each([...refusedRequests, ...oversizedRequests])('%s', async (_name, bytes, status) => {
      const rejected: number[] = []
      await using server = await startEcho({ onRejected: (_reason, code) => rejected.push(code) })
      const answer = await exchange(server, bytes)
      expect(answer.status).toBe(status)
      expect(answer.head.toLowerCase()).toContain('\r\nconnection: close')
      expect(answer.text.match(/HTTP\/1\.1 \d/g)).toHaveLength(1)
      expect(answer.text).not.toMatch(/HPE_|node:| at /)
      expect(rejected).toEqual([status])
    })
  })

  describe('is served', () => {
    async function seen(bytes: string | string[], options = {}) {
      await using server = await startEcho(options)
      const answer = await exchange(server, bytes)
      expect(answer.status).toBe(200)
      return echoOf(answer)
    }

    test('absolute-form: its authority wins over Host', async () => {
      const { target } = await seen(get('http://b.test:81/x?y'))
      expect(target).toMatchObject({ host: 'b.test:81', path: '/x', query: 'y', scheme: 'http' })
      expect(target.headers).toEqual(['Host', 'b.test:81'])
    })

    test('raw bytes beyond ASCII, percent-encoded', async () => {
      const { target } = await seen(get('/caf\xc3\xa9?q=\xff'))
      expect(target).toMatchObject({ path: '/caf%C3%A9', query: 'q=%FF' })
    })

    test('raw bytes beyond ASCII with a body that comes later, then a second request', async () => {
      await using server = await startEcho()
      const head = 'POST /\xe9 HTTP/1.1\r\nHost: a.test\r\nContent-Length: 3\r\n\r\na'
      const answer = await exchange(server, [head, 'bc', get('/second')])
      expect(answer.text).toContain('"path":"/%E9"')
      expect(answer.text).toContain('"body":"abc"')
      expect(answer.text).toContain('"path":"/second"')
    })

    test('raw bytes beyond ASCII, again and again on one connection', async () => {
      await using server = await startEcho()
      const many = Array.from(
        { length: 15 },
        (_, index) => `GET /\xe9/${index} HTTP/1.1\r\nHost: a.test\r\n\r\n`,
      )
      const answer = await exchange(server, [...many, get('/last')])
      expect(answer.text.match(/"path":"\/%E9\/\d+"/g)).toHaveLength(15)
      expect(answer.text).toContain('"path":"/last"')
    })

    test('dot segments, resolved', async () => {
      const { target } = await seen(get('/a/./b/%2e%2E/c/..?x=../y'))
      expect(target).toMatchObject({ path: '/a/', query: 'x=../y', rawTarget: '/a/./b/%2e%2E/c/..?x=../y' })
    })

    test('//evil/x, as a path', async () => {
      const { target } = await seen(get('//evil/x'))
      expect(target).toMatchObject({ path: '//evil/x', host: 'a.test' })
    })

    test('names with underscores, less those headers, counted', async () => {
      let dropped = 0
      const onHeadersDropped = (count: number) => (dropped += count)
      const { target } = await seen(get('/', 'X_A: 1\r\nX-A: 2\r\nRemote_User: root\r\n'), {
        onHeadersDropped,
      })
      expect(target.headers).toEqual(['Host', 'a.test', 'X-A', '2'])
      expect(dropped).toBe(2)
    })

    test('GET without a body, whose end is heard or was before', async () => {
      expect((await seen(get('/'))).body).toBe('')
      expect((await seen(get('/'), { endEmptyBodies: true })).body).toBe('')
    })

    test('GET with a body', async () => {
      expect((await seen(get('/', 'Content-Length: 3\r\n') + 'abc')).body).toBe('abc')
    })

    test('leading CRLF', async () => {
      expect((await seen('\r\n' + get('/x'))).target.path).toBe('/x')
    })

    test('chunk extensions and trailers, dropped', async () => {
      const { target, body } = await seen(post(chunked, '1;a=b\r\na\r\n2\r\nbc\r\n0\r\nX-Trailer: y\r\n\r\n'))
      expect(body).toBe('abc')
      expect(target.headers).toEqual(['Host', 'a.test'])
    })

    test('h2c, as HTTP/1.1', async () => {
      const { target } = await seen(
        'GET /h2c HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n',
      )
      expect(target).toMatchObject({ path: '/h2c', headers: ['Host', 'a.test'] })
    })

    test('h2c with a body, and a second request after it', async () => {
      await using server = await startEcho()
      const first =
        'POST /h2c HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 3\r\n\r\nabc'
      const answer = await exchange(server, first + get('/second'))
      expect(answer.text).toContain('"body":"abc"')
      expect(answer.text).toContain('"path":"/second"')
    })

    test('Expect: 100-continue, after 100', async () => {
      await using server = await startEcho()
      const answer = await exchange(server, [post('Expect: 100-continue\r\nContent-Length: 2\r\n'), 'ab'])
      expect(answer.text).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK/)
      expect(echoOf(answer)).toMatchObject({
        body: 'ab',
        target: { headers: ['Host', 'a.test', 'Content-Length', '2'] },
      })
    })

    test('what Connection nominates, dropped, but never who asks and from where', async () => {
      const nominated =
        'Connection: X-Hop, Host, Authorization, X-Forwarded-For\r\nX-Hop: 1\r\nAuthorization: me\r\nX-Forwarded-For: 9.9.9.9\r\n'
      const { target } = await seen(get('/', nominated), { trustedProxies: ['127.0.0.1'] })
      expect(target.headers).toEqual(['Host', 'a.test', 'Authorization', 'me', 'X-Forwarded-For', '9.9.9.9'])
    })

    test('HTTP/1.0 without Host', async () => {
      const { target } = await seen('GET / HTTP/1.0\r\n\r\n')
      expect(target).toMatchObject({ host: '', httpVersion: '1.0' })
    })

    test('a plain request, whose headers are not copied', async () => {
      const { target } = await seen('GET /x HTTP/1.0\r\nHost: [::1]:80\r\nX-A:1\r\n\r\n')
      expect(target).toMatchObject({
        host: '[::1]:80',
        headers: ['Host', '[::1]:80', 'X-A', '1'],
        clientAddress: '127.0.0.1',
      })
    })
  })

  describe('answered here', () => {
    test('OPTIONS *', async () => {
      await using server = await startEcho()
      const answer = await exchange(server, 'OPTIONS * HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n')
      expect(answer.status).toBe(204)
      expect(answer.head.toLowerCase()).toContain('allow: get')
    })

    test('a head that does not end: 408', async () => {
      await using server = await startEcho({ timeouts: { headersMs: 150, keepAliveMs: 1_000 } })
      expect((await exchange(server, 'GET / HTTP/1.1\r\nHost: a')).status).toBe(408)
    })

    test('a connection that stays unused: closed without a word', async () => {
      const rejected: number[] = []
      const timeouts = { headersMs: 150, keepAliveMs: 1_000 }
      await using server = await startEcho({ timeouts, onRejected: (_reason, code) => rejected.push(code) })
      expect((await exchange(server, '')).text).toBe('')
      expect(rejected).toEqual([])
    })

    test('a kept connection that nothing more comes on: closed after its time', async () => {
      await using server = await startEcho({ timeouts: { headersMs: 10_000, keepAliveMs: 100 } })
      const { text } = await exchange(server, 'GET / HTTP/1.1\r\nHost: a.test\r\n\r\n')
      expect(text).toMatch(/^HTTP\/1\.1 200 /)
    })

    test('a fault behind a good request: that one gets its answer first', async () => {
      await using server = await startEcho()
      const answer = await exchange(server, 'GET /good HTTP/1.1\r\nHost: a\r\n\r\nBAD REQUEST\r\n\r\n')
      expect(answer.text).toMatch(/^HTTP\/1\.1 200 [^]*HTTP\/1\.1 400 /)
    })

    test('a fault before a good request: only the fault', async () => {
      await using server = await startEcho()
      const answer = await exchange(
        server,
        'GET /bad HTTP/1.1\r\nHost: a/b\r\n\r\nGET /good HTTP/1.1\r\nHost: a\r\n\r\n',
      )
      expect(answer.text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 400'])
    })

    test('413 reaches a client that keeps sending', async () => {
      await using server = await startEcho()
      const answer = await exchange(server, [post('Content-Length: 1000000\r\n'), 'x'.repeat(500_000)])
      expect(answer.status).toBe(413)
    })

    test('in JSON for those who ask for it', async () => {
      await using server = await startEcho()
      const answer = await exchange(server, get('/a\\', 'Accept: application/json\r\n'))
      expect(JSON.parse(answer.body)).toEqual({ type: 'about:blank', title: 'Bad Request', status: 400 })
    })
  })

  describe('WebSocket handshakes', () => {
    const handshake = (headers = '') =>
      `GET /ws HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n${headers}\r\n`

    test('go to the upgrade handler with what follows', async () => {
      await using server = await startEcho()
      const answer = await exchange(server, handshake('Sec-WebSocket-Version: 13\r\n') + 'early')
      expect(answer.status).toBe(101)
      expect(echoOf(answer)).toMatchObject({
        body: 'early',
        target: { path: '/ws', headers: ['Host', 'a.test', 'Sec-WebSocket-Version', '13'] },
      })
    })

    test('keep the rules', async () => {
      await using server = await startEcho()
      expect((await exchange(server, handshake('Host: b.test\r\n'))).status).toBe(400)
    })
  })

  describe('a connection that is handed from parser to parser', () => {
    const upgrade = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n'
    const rawTarget = 'GET /\xe9 HTTP/1.1\r\nHost: a\r\n\r\n'

    test('is one connection, and gathers no listeners', async () => {
      const sockets: Socket[] = []
      await using server = await startEcho({ onConnection: (socket) => void sockets.push(socket) })
      const parts = [...Array<string>(12).fill(upgrade), rawTarget, get('/')]
      const { text } = await exchange(server, parts)
      expect(text.match(/HTTP\/1.1 200/g)).toHaveLength(parts.length)
      expect(sockets).toHaveLength(1)
      for (const event of ['close', 'error']) expect(sockets[0]!.listenerCount(event)).toBeLessThan(10)
    })

    test('ends after so many of them', async () => {
      await using server = await startEcho()
      const { text } = await exchange(server, Array<string>(20).fill(rawTarget))
      expect(text.match(/HTTP\/1.1 200/g)).toHaveLength(16)
      expect(text.match(/Connection: close/g)).toHaveLength(1)
    })
  })

  describe('forwarded headers', () => {
    async function target(headers: string, trustedProxies: string[]) {
      await using server = await startEcho({ trustedProxies })
      return echoOf(await exchange(server, get('/', headers))).target
    }
    const forwarded =
      'X-Forwarded-For: 1.1.1.1, 2.2.2.2, 10.0.0.9\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: shop.test\r\n'

    test('of anyone are dropped', async () => {
      const seen = await target(forwarded + 'Forwarded: for=3.3.3.3\r\nX-Real-IP: 4.4.4.4\r\n', [
        '10.0.0.0/8',
      ])
      expect(seen).toMatchObject({
        clientAddress: '127.0.0.1',
        scheme: 'http',
        host: 'a.test',
        headers: ['Host', 'a.test'],
      })
    })

    test('of a trusted peer say one thing of scheme and host, whatever a client put before it', async () => {
      const said =
        'X-Forwarded-Proto: https, http\r\nX-Forwarded-Host: evil.test\r\nX-Forwarded-Host: shop.test\r\n'
      const seen = await target(said, ['127.0.0.1'])
      expect(seen).toMatchObject({ scheme: 'http', host: 'shop.test' })
      expect(seen.headers).toEqual([
        ...['Host', 'shop.test', 'X-Forwarded-Proto', 'http', 'X-Forwarded-Host', 'shop.test'],
      ])
      const senseless = await target('X-Forwarded-Proto: gopher\r\n', ['127.0.0.1'])
      expect(senseless.headers).toEqual(['Host', 'a.test', 'X-Forwarded-Proto', 'http'])
    })

    test('of a trusted peer have no aliases', async () => {
      const said = 'X-Forwarded-User_Name: root\r\nX-Forwarded_For: 9.9.9.9\r\nX-Forwarded-User: me\r\n'
      const seen = await target(said, ['127.0.0.1'])
      expect(seen.headers).toEqual(['Host', 'a.test', 'X-Forwarded-User', 'me'])
    })

    test('of a trusted peer name the client: the right-most that is not trusted', async () => {
      const seen = await target(forwarded, ['127.0.0.0/8', '10.0.0.0/8'])
      expect(seen).toMatchObject({ clientAddress: '2.2.2.2', scheme: 'https', host: 'shop.test' })
      expect(seen.headers.slice(0, 4)).toEqual([
        'Host',
        'shop.test',
        'X-Forwarded-For',
        '1.1.1.1, 2.2.2.2, 10.0.0.9',
      ])
    })

    test('stop at the first hop that is not trusted', async () => {
      expect((await target(forwarded, ['127.0.0.1'])).clientAddress).toBe('10.0.0.9')
    })

    test('in the words of RFC 7239', async () => {
      const seen = await target(
        'Forwarded: for=unknown, for="[2001:db8::7]:4711";proto=https;host="b.test", for=10.0.0.9;proto=http\r\n',
        ['127.0.0.1', '10.0.0.9'],
      )
      expect(seen).toMatchObject({
        clientAddress: '2001:db8::7',
        clientPort: 4711,
        scheme: 'https',
        host: 'b.test',
      })
    })

    test('that name nobody leave the last known hop', async () => {
      expect((await target('X-Forwarded-For: 1.1.1.1, garbage\r\n', ['127.0.0.1'])).clientAddress).toBe(
        '127.0.0.1',
      )
    })

    test('are trusted of nobody by mistake', () => {
      return expect(startEcho({ trustedProxies: ['10.0.0.0/33'] })).rejects.toMatchObject({
        code: 'HAVN_ERR_HTTP_TRUSTED_PROXY',
      })
    })
  })
}
