import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import type { EdgeOptions } from '@havn/model'
import type { ServedProxy } from '@havn/plugin-api/testing'
import { exchange, get } from '../../packages/proxy/test/edge-server.ts'
import { freePort } from '../src/index.ts'
import { startEchoUpstream } from './proxies/echo-upstream.ts'
import type { EchoUpstream, SeenRequest } from './proxies/echo-upstream.ts'
import { nginx, startProxy } from './proxies/start-proxy.ts'
import type { ProxyName, StartProxyOptions } from './proxies/start-proxy.ts'

/** Where the two may differ, with the reason: whatever is not said to differ has to be the same. */
function differing<Value>(_why: string, values: Record<ProxyName, Value>, proxy: ProxyName): Value {
  return values[proxy]
}

describe.each(['edge', 'nginx'] as const)('%s', (name) => {
  const isMissing = name === 'nginx' && nginx === null

  /** Starts the upstreams and the proxy before a group's tests, and ends them after. */
  function served(plan: (ports: { app: number; api: number }) => Omit<StartProxyOptions, 'upstream'>) {
    const running = {} as { app: EchoUpstream; api: EchoUpstream; proxy: ServedProxy }
    beforeAll(async () => {
      running.app = await startEchoUpstream('app')
      running.api = await startEchoUpstream('api')
      const ports = { app: running.app.port, api: running.api.port }
      running.proxy = await startProxy(name, { upstream: running.app.port, ...plan(ports) })
    })
    afterAll(async () => {
      await running.proxy?.stop()
      await running.app.close()
      await running.api.close()
    })
    return running
  }

  const tcp = (port: number) => ({ address: { type: 'tcp' as const, host: '127.0.0.1', port } })
  const ask = (
    running: { proxy: ServedProxy },
    path: string,
    headers?: Record<string, string>,
    method?: string,
  ) => exchange(running.proxy.port, get(path, headers, method))
  const echo = async (...asked: Parameters<typeof ask>): Promise<SeenRequest & { name: string }> =>
    JSON.parse((await ask(...asked)).text)

  describe.skipIf(isMissing)('routes', () => {
    const running = served(({ api }) => ({
      edge: {
        upstreams: { api: tcp(api) },
        routes: routes(),
      },
    }))

    test.each([
      ['/', 'app'],
      ['/api', 'api'],
      ['/api/users?x=1', 'api'],
      ['/apis', 'app'],
      ['/exact', 'api'],
      ['/exact/more', 'app'],
      ['/slash/x', 'api'],
      ['/slash', 'app'],
      ['/posts', 'app'],
      ['/any', 'app'],
      ['/sc', 'app'],
    ])('%s goes to %s', async (path, upstream) => {
      expect(await echo(running, path)).toMatchObject({ name: upstream, url: path })
    })

    test('the more specific route wins, wherever it stands', async () => {
      const answer = await ask(running, '/api/old/x')
      expect([answer.status, answer.text]).toEqual([410, 'gone "for" $good;\n'])
      expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8')
    })

    test('methods and headers', async () => {
      expect((await echo(running, '/posts', { 'Content-Length': '0' }, 'POST')).name).toBe('api')
      expect((await echo(running, '/beta', { 'x-beta': 'a"b' })).name).toBe('api')
      expect((await echo(running, '/beta', { 'x-beta': 'ab' })).name).toBe('app')
      expect((await echo(running, '/any', { 'X-Any': 'thing' })).name).toBe('api')
    })

    test('hosts: its own name, the longest wildcard, the rest; without regard to case and port', async () => {
      const body = async (Host: string, path = '/') => (await ask(running, path, { Host })).text
      expect(await body('OWN.test:81')).toBe('own')
      expect(await body('own.test.')).toBe('own')
      expect(await body('a.own.test')).toBe('below')
      expect(await body('deep.own.test', '/deep')).toBe('deep')
      expect(await body('deep.own.test')).toBe('below')
      expect(JSON.parse(await body('notown.test'))).toMatchObject({ name: 'app' })
    })

    test('prefixes are replaced, and the upstream learns of it', async () => {
      expect(await echo(running, '/strip/a%20b?q=%2F')).toMatchObject({
        url: '/a%20b?q=%2F',
        headers: { 'x-forwarded-prefix': '/strip' },
      })
      expect((await echo(running, '/strip')).url).toBe('/')
      expect((await echo(running, '/strip//evil.test/x')).url).toBe('/evil.test/x')
      expect((await echo(running, '/from/x/y')).url).toBe('/to/x/y')
      expect((await echo(running, '/from/')).url).toBe('/to')
    })

    test('redirects take the request’s own parts', async () => {
      const moved = await ask(running, '/moved/a%20b?q=1')
      expect([moved.status, moved.headers['location']]).toEqual([301, 'http://new.test/moved/a%20b?q=1'])
      const here = await ask(running, '/here')
      expect([here.status, here.headers['location']]).toEqual([307, '/there?$a;b="c"'])
      const away = await ask(running, '//evil.test/x', { Host: 'all.test' })
      expect([away.status, away.headers['location']]).toEqual([308, '/evil.test/x'])
    })

    test('answers of their own', async () => {
      expect((await ask(running, '/none')).status).toBe(204)
      expect((await ask(running, '/a.b+c')).text).toBe('literal')
      expect(JSON.parse((await ask(running, '/aXb+c')).text)).toMatchObject({ name: 'app' })
    })

    test('what the proxy keeps for itself cannot be asked for', async () => {
      for (const path of ['/.havn/route-0/plain', '/.havn/error-404/text'])
        expect((await echo(running, `/api${path}`)).url).toBe(`/api${path}`)
      const inside = await ask(running, '/.havn/route-0/plain')
      expect(inside.status).toBe(
        differing('nginx’s own locations stand below /.havn/', { edge: 200, nginx: 404 }, name),
      )
    })
  })

  describe.skipIf(isMissing)('what requests look like behind it', () => {
    const running = served(() => ({}))

    test.each([
      ['a path that begins with two slashes', '//evil/x', '//evil/x'],
      ['encoded slashes and percent signs', '/a%2Fb%25?c=%2f', '/a%2Fb%25?c=%2f'],
      ['a query of its own', '/?', '/'],
      ['absolute-form', 'http://other.test/x?y', '/x?y'],
    ])('%s', async (_case, asked, url) => {
      expect((await echo(running, asked)).url).toBe(url)
    })

    test('the target’s authority wins over Host', async () => {
      const { headers } = await echo(running, 'http://other.test:81/x')
      expect(headers).toMatchObject({ host: 'other.test:81', 'x-forwarded-host': 'other.test:81' })
    })

    test.each([
      ['a climb above the root', '/../x'],
      ['a climb behind an encoded slash', '/a/..%2f..%2fx'],
      ['a fragment', '/a#b'],
      ['a backslash', '/a\\b'],
      ['an encoded NUL', '/a%00b'],
      ['an encoded NUL in the query', '/a?b=%00'],
      ['a broken escape', '/a%zz'],
    ])('%s is refused', async (_case, path) => {
      expect((await ask(running, path)).status).toBe(400)
    })

    test('a Host that names no host is refused', async () => {
      for (const Host of ['a,b', 'u@a', 'a/b']) expect((await ask(running, '/', { Host })).status).toBe(400)
    })

    test('dot segments never reach an upstream', async () => {
      const answer = await ask(running, '/a/./b/%2e%2E/c')
      const why = 'nginx passes a path on as it came, so it refuses one that others may read differently'
      expect(answer.status).toBe(differing(why, { edge: 200, nginx: 400 }, name))
      if (answer.status === 200) expect(JSON.parse(answer.text)).toMatchObject({ url: '/a/c' })
    })

    test('who asked, in the words of this proxy alone', async () => {
      const { headers } = await echo(running, '/', {
        'X-Forwarded-For': '1.2.3.4',
        'X-Forwarded-Proto': 'https',
        'X-Forwarded-Host': 'evil.test',
        'X-Forwarded-Port': '443',
        'X-Forwarded-Prefix': '/evil',
        'X-Forwarded-User': 'root',
        'X-Real-IP': '1.2.3.4',
        Forwarded: 'for=1.2.3.4',
      })
      expect(headers).toMatchObject({
        host: 'shop.test',
        'x-forwarded-for': '127.0.0.1',
        'x-forwarded-proto': 'http',
        'x-forwarded-host': 'shop.test',
        forwarded: 'for=127.0.0.1;host="shop.test";proto=http',
      })
      for (const gone of ['x-forwarded-port', 'x-forwarded-prefix', 'x-forwarded-user', 'x-real-ip'])
        expect(headers).not.toHaveProperty(gone)
      expect(headers['x-request-id']).toMatch(/./)
    })

    test('headers with underscores, and those of one connection, stay behind', async () => {
      const { headers } = await echo(running, '/', {
        X_Under: '1',
        'Proxy-Authorization': 'secret',
        'Keep-Alive': 'timeout=5',
        TE: 'gzip',
        Trailer: 'X-A',
        'X-Kept': 'yes',
        Upgrade: 'h2c',
      })
      expect(headers['x-kept']).toBe('yes')
      for (const gone of ['x_under', 'proxy-authorization', 'keep-alive', 'te', 'trailer', 'upgrade'])
        expect(headers).not.toHaveProperty(gone)
    })

    test('bodies arrive whole: by length, in chunks, and with GET', async () => {
      const send = (head: string, body: string) =>
        exchange(running.proxy.port, `${head}Host: a.test\r\nConnection: close\r\n${body}`)
      const chunked = 'Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n'
      for (const [method, rest] of [
        ['POST', 'Content-Length: 3\r\n\r\nabc'],
        ['POST', chunked],
        ['GET', 'Content-Length: 3\r\n\r\nabc'],
      ] as const)
        expect(JSON.parse((await send(`${method} /b HTTP/1.1\r\n`, rest)).text)).toMatchObject({
          bodyBytes: 3,
        })
    })

    test('a big body arrives whole', async () => {
      const bytes = 20_000_000
      const sent = request({ port: running.proxy.port, host: '127.0.0.1', method: 'POST', agent: false })
      sent.setHeader('content-length', bytes)
      for (let left = bytes; left > 0; left -= 1_000_000) sent.write(Buffer.alloc(1_000_000))
      sent.end()
      const [response] = await once(sent, 'response')
      let text = ''
      for await (const chunk of response) text += String(chunk)
      expect(JSON.parse(text)).toMatchObject({ bodyBytes: bytes })
    })

    test('a response that breaks off breaks off for the client too', async () => {
      const { promise, resolve } = Promise.withResolvers<string>()
      request({ port: running.proxy.port, host: '127.0.0.1', path: '/cut', agent: false }, (response) => {
        response.on('error', () => resolve('cut')).on('end', () => resolve('whole'))
        response.resume()
      }).end()
      expect(await promise).toBe('cut')
    })
  })

  describe.skipIf(isMissing)('trusted proxies', () => {
    const running = served(() => ({ trustedProxies: ['127.0.0.0/8', '10.0.0.0/8'] }))

    test('what they say of the client goes on, and this hop behind it', async () => {
      const { headers } = await echo(running, '/', {
        'X-Forwarded-For': '1.2.3.4, 10.0.0.1',
        'X-Forwarded-Proto': 'https',
        'X-Forwarded-Host': 'shop.example:8443',
        'X-Forwarded-Port': '8443',
        Forwarded: 'for=1.2.3.4',
        'X-Request-ID': 'of-the-balancer',
      })
      expect(headers).toMatchObject({
        host: 'shop.example:8443',
        'x-forwarded-for': '1.2.3.4, 10.0.0.1, 127.0.0.1',
        'x-forwarded-proto': 'https',
        'x-forwarded-host': 'shop.example:8443',
        'x-forwarded-port': '8443',
        'x-request-id': 'of-the-balancer',
      })
      expect(headers['forwarded']).toMatch(
        /^for=1\.2\.3\.4, for=127\.0\.0\.1;host="shop\.example:8443";proto=https$/,
      )
    })

    test('words of theirs that make no sense change nothing', async () => {
      const { headers } = await echo(running, '/', {
        'X-Forwarded-Proto': 'gopher',
        'X-Forwarded-Host': 'a b',
      })
      expect(headers).toMatchObject({ host: 'shop.test', 'x-forwarded-proto': 'http' })
    })
  })

  describe.skipIf(isMissing)('limits', () => {
    const running = served(({ api }) => ({
      limits: { maxBodyBytes: 1_000, maxHeaderBytes: 8_192 },
      edge: {
        upstreams: { api: tcp(api) },
        routes: [
          { match: { path: '/fixed' }, to: { type: 'respond', status: 200, body: 'fixed' } },
          { match: { path: '/large' }, to: { type: 'app' }, limits: { maxBodyBytes: 50_000 } },
          { match: { path: '/small' }, to: { type: 'app' }, limits: { maxBodyBytes: 10 } },
        ],
        limits: {
          rates: [
            { match: { path: '/login' }, requests: 2, perMs: 60_000 },
            { match: { path: '/fixed' }, requests: 1, perMs: 60_000 },
            { match: { path: '/keyed' }, requests: 1, perMs: 60_000, key: { header: 'X-Api-Key' } },
          ],
        },
      },
    }))

    test('bodies beyond the limit are refused', async () => {
      const head = 'POST / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n'
      const send = (rest: string) => exchange(running.proxy.port, head + rest)
      const tooLong = 'a'.repeat(2_000)
      expect((await send(`Content-Length: 2000\r\n\r\n${tooLong}`)).status).toBe(413)
      const chunk = `Transfer-Encoding: chunked\r\n\r\n7d0\r\n${tooLong}\r\n0\r\n\r\n`
      expect((await send(chunk)).status).toBe(413)
    })

    test.each([
      ['/large', 20_000, 200],
      ['/large', 50_001, 413],
      ['/small', 10, 200],
      ['/small', 11, 413],
      ['/other', 1_000, 200],
      ['/other', 1_001, 413],
    ])('%s takes a body of %i bytes: %i', async (path, bytes, status) => {
      const head = `POST ${path} HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n`
      const body = 'a'.repeat(bytes)
      const sized = await exchange(running.proxy.port, `${head}Content-Length: ${bytes}\r\n\r\n${body}`)
      const chunks = `${bytes.toString(16)}\r\n${body}\r\n0\r\n\r\n`
      const chunked = await exchange(running.proxy.port, `${head}Transfer-Encoding: chunked\r\n\r\n${chunks}`)
      expect([sized.status, chunked.status]).toEqual([status, status])
    })

    test('heads beyond the limit are refused', async () => {
      expect((await ask(running, '/', { 'X-Long': 'a'.repeat(10_000) })).status).toBe(431)
      const why = 'nginx measures the request line apart from the other lines of the head'
      const long = await ask(running, `/${'a'.repeat(10_000)}`)
      expect(long.status).toBe(differing(why, { edge: 431, nginx: 414 }, name))
    })

    test('so many at once, then 429 with Retry-After, for each client', async () => {
      const statuses = []
      for (let n = 0; n < 4; n++) statuses.push((await ask(running, '/login')).status)
      expect(statuses).toEqual([200, 200, 429, 429])
      const refused = await ask(running, '/login', { Accept: 'application/json' })
      const wait = Number(refused.headers['retry-after'])
      expect(wait).toBeGreaterThan(0)
      expect(wait).toBeLessThanOrEqual(60)
      expect(refused.headers['content-type']).toBe('application/problem+json')
      expect(JSON.parse(refused.text)).toMatchObject({ status: 429 })
      expect((await ask(running, '/other')).status).toBe(200)
    })

    test('answers of the proxy’s own are counted too', async () => {
      expect((await ask(running, '/fixed')).text).toBe('fixed')
      expect((await ask(running, '/fixed')).status).toBe(429)
    })

    test('by the value of a header, and by client without it', async () => {
      const status = async (headers: Record<string, string>) => (await ask(running, '/keyed', headers)).status
      expect(await status({ 'X-Api-Key': 'a' })).toBe(200)
      expect(await status({ 'X-Api-Key': 'a' })).toBe(429)
      expect(await status({ 'X-Api-Key': 'b' })).toBe(200)
      expect(await status({})).toBe(200)
      expect(await status({})).toBe(429)
    })
  })

  describe.skipIf(isMissing)('connections of a client', () => {
    const running = served(() => ({ edge: { limits: { connectionsPerClient: 2 } } }))

    /** The first line that comes back; empty where the connection is closed without one. */
    const begin = (path: string, localAddress = '127.0.0.1') => {
      const socket = connect({ port: running.proxy.port, host: '127.0.0.1', localAddress })
      socket
        .on('error', () => {})
        .write(`GET ${path} HTTP/1.1\r\nHost: a.test\r\nAccept: text/event-stream\r\n\r\n`)
      const answer = new Promise<string>((resolve) => {
        socket.once('data', (chunk) => resolve(chunk.toString().split('\r\n', 1)[0]!))
        socket.once('close', () => resolve(''))
      })
      return { socket, answer }
    }

    test('are so many, and others have theirs', async () => {
      const held = [begin('/events'), begin('/events')]
      expect(await Promise.all(held.map(({ answer }) => answer))).toEqual([
        'HTTP/1.1 200 OK',
        'HTTP/1.1 200 OK',
      ])
      const why = 'nginx has read the request when it counts, and answers it'
      expect(await begin('/').answer).toBe(
        differing(why, { edge: '', nginx: 'HTTP/1.1 429 Too Many Requests' }, name),
      )
      const other = begin('/', '127.0.0.2')
      expect(await other.answer).toBe('HTTP/1.1 200 OK')
      other.socket.destroy()
      held[0]!.socket.destroy()
      const once = async () => {
        const { socket, answer } = begin('/')
        const line = await answer
        socket.destroy()
        return line
      }
      await expect.poll(once, { timeout: 5_000 }).toBe('HTTP/1.1 200 OK')
      held[1]!.socket.destroy()
    })
  })

  describe.skipIf(isMissing)('static files', () => {
    const folder = mkdtempSync(join(tmpdir(), 'havn-proxies-files-'))
    afterAll(() => rmSync(folder, { recursive: true }))
    const write = (path: string, content: string | Buffer) => {
      mkdirSync(join(folder, path, '..'), { recursive: true })
      writeFileSync(join(folder, path), content)
      // Settled: a file of this very second would have a weak ETag.
      utimesSync(join(folder, path), 1_700_000_000, 1_700_000_000)
    }
    write('secret.txt', 'secret')
    write('static/app.css', 'body{}'.repeat(300))
    write('static/app.css.gz', gzipSync('body{}'.repeat(300)))
    write('static/app.3f2a9c1b.js', 'hashed()')
    write('static/a b$x;.txt', 'odd name')
    write('static/deep/index.html', 'an index')
    write('static/.env', 'dotfile')
    write('static/.git/config', 'dotfile')
    write('static/.well-known/security.txt', 'well known')
    write('older/only-older.js', 'older')
    write('media/page.html', '<script>1</script>')
    write('media/photo.png', 'png')
    symlinkSync(join(folder, 'secret.txt'), join(folder, 'static/link.txt'))
    const running = served(() => ({
      edge: {
        staticFiles: [
          { url: '/static/', directory: join(folder, 'static'), fallbacks: [join(folder, 'older')] },
          { url: '/media/', directory: join(folder, 'media'), kind: 'media' },
        ],
        routes: [{ match: { path: '/static/app.css' }, to: { type: 'respond', status: 200, body: 'route' } }],
      },
    }))

    test('a file, with what browsers keep it by; over routes, and never by the app', async () => {
      const file = await ask(running, '/static/app.css')
      expect([file.status, file.text]).toEqual([200, 'body{}'.repeat(300)])
      expect(file.headers).toMatchObject({
        'content-type': 'text/css; charset=utf-8',
        'cache-control': 'no-cache',
        'accept-ranges': 'bytes',
        'x-content-type-options': 'nosniff',
        'last-modified': 'Tue, 14 Nov 2023 22:13:20 GMT',
        vary: 'Accept-Encoding',
      })
      expect(file.headers['etag']).toMatch(/^"[^"]+"$/)
      expect((await ask(running, '/static/missing.css')).status).toBe(404)
    })

    test('conditions', async () => {
      const { headers } = await ask(running, '/static/app.css')
      const same = await ask(running, '/static/app.css', { 'If-None-Match': headers['etag']! })
      expect([same.status, same.body.length]).toEqual([304, 0])
      const later = { 'If-Modified-Since': 'Wed, 15 Nov 2023 00:00:00 GMT' }
      expect((await ask(running, '/static/app.css', later)).status).toBe(304)
      expect((await ask(running, '/static/app.css', { 'If-None-Match': '"other"' })).status).toBe(200)
    })

    test('ranges, one and several, and one that is not there', async () => {
      const one = await ask(running, '/static/app.3f2a9c1b.js', { Range: 'bytes=0-3' })
      expect([one.status, one.text, one.headers['content-range']]).toEqual([206, 'hash', 'bytes 0-3/8'])
      const several = await ask(running, '/static/app.3f2a9c1b.js', { Range: 'bytes=0-1,6-7' })
      expect(several.status).toBe(206)
      expect(several.headers['content-type']).toMatch(/^multipart\/byteranges; boundary=/)
      const beyond = await ask(running, '/static/app.3f2a9c1b.js', { Range: 'bytes=100-' })
      expect([beyond.status, beyond.headers['content-range']]).toEqual([416, 'bytes */8'])
    })

    test('HEAD has the headers alone; other methods are refused', async () => {
      const head = await ask(running, '/static/app.css', {}, 'HEAD')
      expect([head.status, head.headers['content-length'], head.body.length]).toEqual([200, '1800', 0])
      for (const method of ['POST', 'PUT', 'DELETE']) {
        const refused = await ask(running, '/static/app.css', { 'Content-Length': '0' }, method)
        expect([refused.status, refused.headers['allow']]).toEqual([405, 'GET, HEAD'])
      }
    })

    test('the compressed sibling, to those who take it', async () => {
      const zipped = await ask(running, '/static/app.css', { 'Accept-Encoding': 'gzip' })
      expect(zipped.headers['content-encoding']).toBe('gzip')
      expect(zipped.headers['content-type']).toBe('text/css; charset=utf-8')
      expect(gunzipSync(zipped.body).toString()).toBe('body{}'.repeat(300))
    })

    test('names that hold a hash are kept for ever', async () => {
      const { headers } = await ask(running, '/static/app.3f2a9c1b.js')
      expect(headers['cache-control']).toBe('public, max-age=31536000, immutable')
      expect(headers['content-type']).toMatch(/^text\/javascript/)
    })

    test('names with spaces, dollars and semicolons; prefixes written otherwise', async () => {
      expect((await ask(running, '/static/a%20b$x%3B.txt')).text).toBe('odd name')
      expect((await ask(running, '/%73tatic/a%20b%24x;.txt')).text).toBe('odd name')
    })

    test('the other release’s files, where this one has none', async () => {
      const older = await ask(running, '/static/only-older.js')
      expect([older.status, older.text]).toEqual([200, 'older'])
    })

    test.each([
      '/static/.env',
      '/static/.git/config',
      '/static/%2eenv',
      '/static/link.txt',
      '/static/deep',
      '/static/deep/',
      '/static/',
      '/static//app.css',
      '/static/app.css/',
      '/static/%5c..%5csecret.txt',
    ])('%s is not shown', async (path) => {
      const answer = await ask(running, path)
      // A dot segment that hides behind an encoded backslash is malformed before it is anybody's file.
      expect(answer.status).toBe(path.includes('%5c..') ? 400 : 404)
      expect(answer.text).not.toContain('secret')
    })

    test.each([
      '/static/../secret.txt',
      '/static/%2e%2e/secret.txt',
      '/static/..%2fsecret.txt',
      '/static/%2e%2e%2fsecret.txt',
    ])('%s leads nowhere', async (path) => {
      const answer = await ask(running, path)
      expect(answer.text).not.toMatch(/^secret/)
    })

    test('.well-known is shown', async () => {
      expect((await ask(running, '/static/.well-known/security.txt')).text).toBe('well known')
    })

    test('uploads that a browser would run are data', async () => {
      const page = await ask(running, '/media/page.html')
      expect(page.headers).toMatchObject({ 'content-disposition': 'attachment', 'cache-control': 'no-cache' })
      expect(page.headers['content-security-policy']).toContain('sandbox')
      expect((await ask(running, '/media/photo.png')).headers).not.toHaveProperty('content-disposition')
    })
  })

  describe.skipIf(isMissing)('headers for browsers, and compression', () => {
    const running = served(() => ({
      edge: { security: { profile: 'strict' }, compression: { encodings: ['gzip'] } },
      trustedProxies: ['127.0.0.1'],
    }))

    test('are on every answer that has none of its own', async () => {
      const { headers } = await ask(running, '/')
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'same-origin',
        'cross-origin-opener-policy': 'same-origin',
      })
      expect(headers['content-security-policy']).toContain("default-src 'self'")
      expect(headers).not.toHaveProperty('strict-transport-security')
      expect((await ask(running, '/own-header')).headers['x-frame-options']).toBe('ALLOW-FROM https://a.test')
    })

    test('HSTS is sent over https alone', async () => {
      const { headers } = await ask(running, '/', { 'X-Forwarded-Proto': 'https' })
      expect(headers['strict-transport-security']).toBe('max-age=31536000')
    })

    test('long texts are compressed for who takes it', async () => {
      const zipped = await ask(running, '/text', { 'Accept-Encoding': 'gzip, br' })
      expect(zipped.headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'Accept-Encoding' })
      expect((await ask(running, '/text')).headers).not.toHaveProperty('content-encoding')
    })
  })

  describe.skipIf(isMissing)('maintenance', () => {
    const folder = mkdtempSync(join(tmpdir(), 'havn-proxies-page-'))
    afterAll(() => rmSync(folder, { recursive: true }))
    writeFileSync(join(folder, 'back soon.html'), '<h1>Back soon</h1>')
    const running = served(() => ({
      trustedProxies: ['127.0.0.1'],
      edge: {
        maintenance: {
          page: join(folder, 'back soon.html'),
          retryAfterS: 600,
          allow: ['10.0.0.0/8'],
          except: ['/health'],
        },
      },
    }))

    test('people see the page, programs a sentence', async () => {
      const page = await ask(running, '/', { Accept: 'text/html' })
      expect([page.status, page.text]).toEqual([503, '<h1>Back soon</h1>'])
      expect(page.headers).toMatchObject({ 'retry-after': '600', 'content-type': 'text/html; charset=utf-8' })
      const json = await ask(running, '/', { Accept: 'application/json' })
      expect(JSON.parse(json.text)).toMatchObject({
        status: 503,
        detail: expect.stringContaining('maintenance'),
      })
      expect(json.headers['retry-after']).toBe('600')
      expect((await ask(running, '/x', { 'Content-Length': '0' }, 'POST')).status).toBe(503)
    })

    test('some are let through, and some paths stay open', async () => {
      expect((await ask(running, '/', { 'X-Forwarded-For': '10.1.2.3' })).status).toBe(200)
      expect((await ask(running, '/', { 'X-Forwarded-For': '11.1.2.3' })).status).toBe(503)
      expect((await ask(running, '/health/x')).status).toBe(200)
      expect((await ask(running, '/healthy')).status).toBe(503)
    })
  })

  describe.skipIf(isMissing)('streams', () => {
    const running = served(() => ({}))

    test('WebSockets go both ways', async () => {
      const socket = new WebSocket(`ws://127.0.0.1:${running.proxy.port}/socket?x=1`)
      await once(socket, 'open')
      socket.send('hello')
      const [said] = await once(socket, 'message')
      expect(String(said)).toBe('hello')
      socket.close()
      await once(socket, 'close')
    })

    test('server-sent events arrive as they are sent', async () => {
      const socket = connect(running.proxy.port, '127.0.0.1')
      socket.write('GET /events HTTP/1.1\r\nHost: a.test\r\nAccept: text/event-stream\r\n\r\n')
      let text = ''
      socket.on('data', (chunk) => (text += String(chunk)))
      await expect.poll(() => text, { timeout: 10_000 }).toContain('data: first')
      socket.destroy()
    })
  })

  describe.skipIf(isMissing)('upstreams that fail', () => {
    let nobody: number
    beforeAll(async () => {
      nobody = await freePort()
    })
    const running = served(({ app }) => ({
      edge: {
        upstreams: { nobody: tcp(nobody), silent: { ...tcp(app), responseTimeoutMs: 500 } },
        routes: [
          { match: { path: '/nobody' }, to: { type: 'upstream', upstream: 'nobody' } },
          { match: { path: '/hang' }, to: { type: 'upstream', upstream: 'silent' } },
        ],
      },
    }))

    test('one that is not there is a 502, in the words that the client likes', async () => {
      const plain = await ask(running, '/nobody')
      expect([plain.status, plain.text]).toEqual([502, '502 Bad Gateway\n'])
      expect(plain.headers).toMatchObject({
        'content-type': 'text/plain; charset=utf-8',
        'cache-control': 'no-store',
      })
      const json = await ask(running, '/nobody', { Accept: 'application/json' })
      expect([json.status, JSON.parse(json.text)]).toMatchObject([
        502,
        { type: 'about:blank', title: 'Bad Gateway', status: 502 },
      ])
    })

    test('one that is silent is a 504', async () => {
      expect((await ask(running, '/hang')).status).toBe(504)
    })
  })
})

/** Routes of every kind; the ones that are more specific stand behind. */
function routes(): EdgeOptions['routes'] {
  return [
    { match: { path: '/api' }, to: { type: 'upstream', upstream: 'api' } },
    { match: { path: '/api/old' }, to: { type: 'respond', status: 410, body: 'gone "for" $good;\n' } },
    { match: { path: '/exact', exact: true }, to: { type: 'upstream', upstream: 'api' } },
    { match: { path: '/slash/' }, to: { type: 'upstream', upstream: 'api' } },
    { match: { path: '/posts', methods: ['POST'] }, to: { type: 'upstream', upstream: 'api' } },
    {
      match: { path: '/beta', headers: { 'X-Beta': 'a"b' } },
      to: { type: 'upstream', upstream: 'api' },
    },
    { match: { path: '/any', headers: { 'x-any': true } }, to: { type: 'upstream', upstream: 'api' } },
    { match: { hosts: ['own.test'] }, to: { type: 'respond', status: 200, body: 'own' } },
    { match: { hosts: ['*.own.test'] }, to: { type: 'respond', status: 200, body: 'below' } },
    {
      match: { hosts: ['deep.own.test'], path: '/deep' },
      to: { type: 'respond', status: 200, body: 'deep' },
    },
    { match: { path: '/strip' }, rewritePrefix: '/', to: { type: 'upstream', upstream: 'api' } },
    { match: { path: '/from/' }, rewritePrefix: '/to', to: { type: 'upstream', upstream: 'api' } },
    {
      match: { path: '/moved' },
      to: { type: 'redirect', location: '{scheme}://new.test{path}{query}', status: 301 },
    },
    { match: { path: '/here' }, to: { type: 'redirect', location: '/there?$a;b="c"', status: 307 } },
    { match: { hosts: ['all.test'] }, to: { type: 'redirect', location: '{path}{query}' } },
    { match: { path: '/none' }, to: { type: 'respond', status: 204 } },
    { match: { path: '/a.b+c' }, to: { type: 'respond', status: 200, body: 'literal' } },
    { match: { path: '/sc', scheme: 'https' }, to: { type: 'upstream', upstream: 'api' } },
  ]
}
