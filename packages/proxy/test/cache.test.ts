import { once } from 'node:events'
import { request } from 'node:http'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test, vi } from 'vitest'
import { parseEdgeConfig } from '../src/index.ts'
import { forms, useCachedSite } from './cache-server.ts'
import type { CachedSite } from './cache-server.ts'
import { exchange, get } from './edge-server.ts'

const FRESH = { 'Cache-Control': 'max-age=100' }

/** An origin whose answers the test gives, one by one. */
class HeldOrigin {
  readonly requests: { request: IncomingMessage; response: ServerResponse }[] = []
  readonly listener: RequestListener = (request, response) => {
    this.requests.push({ request, response })
  }

  async asked(count: number): Promise<ServerResponse> {
    await vi.waitFor(() => expect(this.requests.length).toBeGreaterThanOrEqual(count), 5_000)
    return this.requests[count - 1]!.response
  }
}

/** An origin that answers at once, and counts. */
function counting(answer: (response: ServerResponse, count: number, message: IncomingMessage) => void) {
  const origin = {
    count: 0,
    listener: (message: IncomingMessage, response: ServerResponse) => {
      message.resume()
      answer(response, ++origin.count, message)
    },
  }
  return origin
}

/** Long enough for what should not happen to have happened on a quiet loopback; nothing depends on its length. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 50))

/** A client that is there, and has asked. */
async function open(site: CachedSite, path: string) {
  const socket = connect(site.port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write(get(path))
  return socket
}

describe.each(forms)('by %s', (form) => {
  test('requests that come together ask the origin once', async () => {
    const origin = new HeldOrigin()
    const site = await useCachedSite(origin.listener, {}, form)
    const all = Array.from({ length: 20 }, () => site.ask('/'))
    const response = await origin.asked(1)
    await vi.waitFor(() => expect(site.outcomes).toHaveLength(1))
    await settle()
    response.writeHead(200, FRESH).end('one')
    const answers = await Promise.all(all)
    expect(answers.map(({ text }) => text)).toEqual(Array.from({ length: 20 }, () => 'one'))
    expect(origin.requests).toHaveLength(1)
    expect(site.outcomes.toSorted()).toEqual([...Array.from({ length: 19 }, () => 'hit'), 'miss'])
  })

  test('those who wait go on by themselves once the answer turns out to be for one alone', async () => {
    const origin = new HeldOrigin()
    const site = await useCachedSite(origin.listener, {}, form)
    const firstAnswer = site.ask('/')
    const response = await origin.asked(1)
    const rest = [site.ask('/'), site.ask('/')]
    await settle()
    expect(origin.requests).toHaveLength(1)
    // Its head is enough: the body never ends.
    response.writeHead(200, { 'Cache-Control': 'private' }).write('mine')
    const others = [await origin.asked(2), await origin.asked(3)]
    for (const other of others) other.writeHead(200, { 'Cache-Control': 'private' }).end('theirs')
    expect((await Promise.all(rest)).map(({ text }) => text)).toEqual(['theirs', 'theirs'])
    // The next ones do not wait at all for a while.
    const next = [site.ask('/'), site.ask('/')]
    for (const number of [4, 5]) (await origin.asked(number)).end('next')
    await Promise.all(next)
    response.end()
    await firstAnswer
  })

  test('a client that leaves takes the answer with it from nobody who waits', async () => {
    const origin = new HeldOrigin()
    const site = await useCachedSite(origin.listener, {}, form)
    const leaver = await open(site, '/')
    const first = await origin.asked(1)
    const rest = [site.ask('/'), site.ask('/')]
    await settle()
    leaver.destroy()
    await settle()
    // It goes on where it can, and is asked for once more where it cannot.
    const response = first.destroyed ? await origin.asked(2) : first
    response.writeHead(200, FRESH).end('kept')
    expect((await Promise.all(rest)).map(({ text }) => text)).toEqual(['kept', 'kept'])
    expect((await site.ask('/')).headers).toHaveProperty('age')
    expect(origin.requests.length).toBeLessThanOrEqual(2)
  })

  test('a client that leaves alone ends the request to the origin', async () => {
    const origin = new HeldOrigin()
    const site = await useCachedSite(origin.listener, {}, form)
    const leaver = await open(site, '/')
    const response = await origin.asked(1)
    leaver.destroy()
    await once(response, 'close')
    void site.ask('/')
    await origin.asked(2)
  })

  test('a client that reads nothing holds up nobody', async () => {
    const body = Buffer.alloc(8 * 1024 * 1024, 'x')
    const origin = new HeldOrigin()
    const cache = { maxBytes: 64 * 1024 * 1024, maxEntryBytes: 16 * 1024 * 1024 }
    const site = await useCachedSite(origin.listener, cache, form)
    const slow = await open(site, '/')
    slow.pause()
    const response = await origin.asked(1)
    const rest = site.ask('/')
    await settle()
    response.writeHead(200, { ...FRESH, 'Content-Type': 'image/png' }).end(body)
    expect((await rest).body.length).toBe(body.length)
    slow.destroy()
  })

  test('what is stale is answered with while it is asked for anew, once', async () => {
    const origin = new HeldOrigin()
    const site = await useCachedSite(origin.listener, {}, form)
    const asked = site.ask('/')
    const headers = { 'Cache-Control': 'max-age=10, stale-while-revalidate=1000', Age: '20', ETag: '"a"' }
    ;(await origin.asked(1)).writeHead(200, headers).end('old')
    await asked
    for (let n = 0; n < 5; n++) expect((await site.ask('/')).text).toBe('old')
    const background = await origin.asked(2)
    expect(background.req.headers['if-none-match']).toBe('"a"')
    await settle()
    expect(origin.requests).toHaveLength(2)
    background.writeHead(200, FRESH).end('new')
    await vi.waitFor(async () => expect((await site.ask('/')).text).toBe('new'))
    expect(site.outcomes.slice(0, 6)).toEqual(['miss', 'stale', 'stale', 'stale', 'stale', 'stale'])
    expect(site.outcomes.at(-1)).toBe('hit')
  })

  test('only a whole response is kept', async () => {
    const origin = counting((response) => {
      response.writeHead(200, { ...FRESH, 'Content-Type': 'image/png' })
      response.write('half')
      setImmediate(() => response.destroy())
    })
    const site = await useCachedSite(origin.listener, {}, form)
    await site.ask('/')
    await site.ask('/')
    expect(origin.count).toBe(2)
  })

  test('one that is longer than asked goes by, whole, with and without a length', async () => {
    const body = 'x'.repeat(5_000)
    const origin = counting((response, _count, { url }) => {
      response.writeHead(200, { ...FRESH, ...(url === '/told' && { 'Content-Length': body.length }) })
      response.write(body.slice(0, 3_000))
      setImmediate(() => response.end(body.slice(3_000)))
    })
    const site = await useCachedSite(origin.listener, { maxEntryBytes: 4_000 }, form)
    for (const path of ['/told', '/untold'])
      for (let n = 0; n < 2; n++) expect((await site.ask(path)).text).toBe(body)
    expect(origin.count).toBe(4)
  })

  test('a stream is kept once it has ended', async () => {
    const origin = counting((response) => {
      response.writeHead(200, { ...FRESH, 'Content-Type': 'image/png' })
      response.write('one ')
      setTimeout(() => response.end('two'), 5)
    })
    const site = await useCachedSite(origin.listener, {}, form)
    await site.ask('/')
    const answer = await site.ask('/')
    expect(answer).toMatchObject({ text: 'one two', headers: { 'content-length': '7' } })
    expect(origin.count).toBe(1)
  })

  test('an update empties it', async () => {
    const origin = counting((response, count) => void response.writeHead(200, FRESH).end(String(count)))
    const site = await useCachedSite(origin.listener, {}, form)
    expect((await site.ask('/')).text).toBe('1')
    expect((await site.ask('/')).text).toBe('1')
    await site.update({})
    expect((await site.ask('/')).text).toBe('2')
  })

  test('says what it did where it is asked to (RFC 9211)', async () => {
    const origin = counting((response, _count, message) => {
      const stale = message.url === '/stale' ? { Age: '200', ETag: '"a"' } : {}
      if (message.headers['if-none-match']) response.writeHead(304, FRESH).end()
      else response.writeHead(200, { ...FRESH, ...stale, 'Cache-Status': 'Far; hit' }).end()
    })
    const site = await useCachedSite(origin.listener, { cacheStatus: true }, form)
    const status = async (path: string, headers = {}, method = 'GET') =>
      (await site.ask(path, headers, method)).headers['cache-status']
    expect(await status('/')).toBe('Far; hit, Havn; fwd=uri-miss')
    expect(await status('/')).toMatch(/^Far; hit, Havn; hit; ttl=\d+$/)
    expect(await status('/', { 'Cache-Control': 'no-store' })).toBe('Far; hit, Havn; fwd=bypass')
    expect(await status('/', {}, 'POST')).toBe('Far; hit, Havn; fwd=method')
    await status('/stale')
    expect(await status('/stale')).toBe('Far; hit, Havn; fwd=stale')
  })
})

test('an update switches it off', async () => {
  const origin = counting((response, count) => void response.writeHead(200, FRESH).end(String(count)))
  const site = await useCachedSite(origin.listener)
  await site.ask('/')
  await site.update(undefined)
  expect((await site.ask('/')).text).toBe('2')
  expect((await site.ask('/')).text).toBe('3')
})

test('an answer by the upstream goes on for those who wait, without its client', async () => {
  const origin = new HeldOrigin()
  const site = await useCachedSite(origin.listener)
  const leaver = await open(site, '/')
  const response = await origin.asked(1)
  const rest = site.ask('/')
  await settle()
  response.writeHead(200, { ...FRESH, 'Content-Length': '6' }).write('one')
  await settle()
  leaver.destroy()
  await settle()
  response.end('two')
  expect((await rest).text).toBe('onetwo')
  expect(origin.requests).toHaveLength(1)
})

test('so many wait, and so long: the others ask for themselves', async () => {
  const origin = new HeldOrigin()
  const site = await useCachedSite(origin.listener, { maxWaiting: 1, maxWaitMs: 200 })
  const all = [site.ask('/')]
  await origin.asked(1)
  all.push(site.ask('/'))
  await settle()
  expect(origin.requests).toHaveLength(1)
  all.push(site.ask('/'))
  // The third at once, the second when it has waited.
  await origin.asked(3)
  for (const { response } of origin.requests) response.writeHead(200, FRESH).end('x')
  expect((await Promise.all(all)).map(({ status }) => status)).toEqual([200, 200, 200])
})

test('who has a cookie does not wait for the answer to who has none', async () => {
  const origin = new HeldOrigin()
  const site = await useCachedSite(origin.listener)
  const all = [site.ask('/'), site.ask('/', { Cookie: 'id=1' })]
  await origin.asked(2)
  for (const { response } of origin.requests) response.writeHead(200, { 'Cache-Control': 'private' }).end('x')
  await Promise.all(all)
})

test('an origin that is gone is stale-if-error, and a 502 without', async () => {
  let answers = true
  const origin = counting((response, _count, { url, socket }) => {
    if (!answers) return void socket.destroy()
    const allowed = url === '/a' ? ', stale-if-error=1000' : ''
    response.writeHead(200, { 'Cache-Control': `max-age=10${allowed}`, Age: '20' }).end('old')
  })
  const site = await useCachedSite(origin.listener)
  for (const path of ['/a', '/b']) await site.ask(path)
  answers = false
  expect(await site.ask('/a')).toMatchObject({ status: 200, text: 'old' })
  expect((await site.ask('/b')).status).toBe(502)
})

test('what Location and Content-Location name at the same host becomes invalid, too', async () => {
  const origin = counting((response, count, { method, url }) => {
    if (method === 'GET') return void response.writeHead(200, FRESH).end(String(count))
    const location = url === '/abroad' ? 'http://other.test/a' : '/a?x=1'
    response.writeHead(201, { Location: location, 'Content-Location': 'b' }).end()
  })
  const site = await useCachedSite(origin.listener)
  const counts = async () =>
    Promise.all(['/a?x=1', '/b', '/c'].map(async (path) => (await site.ask(path)).text))
  const before = await counts()
  await site.ask('/new', {}, 'POST')
  const after = await counts()
  expect(after.map((text, at) => text === before[at])).toEqual([false, false, true])
  await site.ask('/abroad', {}, 'PUT')
  const [kept] = await counts()
  expect(kept).toBe(after[0])
})

test('a response that was on its way while an unsafe request came is not used', async () => {
  const origin = new HeldOrigin()
  const site = await useCachedSite(origin.listener)
  const slow = site.ask('/')
  const response = await origin.asked(1)
  const written = site.ask('/', {}, 'POST')
  ;(await origin.asked(2)).end()
  await written
  response.writeHead(200, FRESH).end('before')
  expect((await slow).text).toBe('before')
  const next = site.ask('/')
  ;(await origin.asked(3)).writeHead(200, FRESH).end('after')
  expect((await next).text).toBe('after')
})

test('rules say which requests are cached, and how', async () => {
  const origin = counting((response, count, { url }) => {
    response.writeHead(200, url!.startsWith('/own') ? FRESH : {}).end(String(count))
  })
  const site = await useCachedSite(origin.listener, {
    rules: [
      {
        match: { path: '/own' },
        key: { ignoreQuery: ['utm_source'], cookies: ['lang'], headers: ['x-tenant'] },
      },
      { match: { path: '/own/not' }, enabled: false },
      { match: { path: '/ttl' }, defaultTtlS: 100 },
    ],
  })
  const isSame = async (path: string, one: object, other: object, otherPath = path) =>
    (await site.ask(path, { ...one })).text === (await site.ask(otherPath, { ...other })).text
  expect(await isSame('/own/a', {}, {}, '/own/a?utm_source=x')).toBe(true)
  expect(await isSame('/own/b', {}, {}, '/own/b?x=1')).toBe(false)
  expect(await isSame('/own/c', { Cookie: 'lang=de; a=1' }, { Cookie: 'a=2; lang=de' })).toBe(true)
  expect(await isSame('/own/d', { Cookie: 'lang=de' }, { Cookie: 'lang=fr' })).toBe(false)
  expect(await isSame('/own/e', { 'X-Tenant': '1' }, { 'X-Tenant': '2' })).toBe(false)
  expect(await isSame('/own/not', {}, {})).toBe(false)
  expect(await isSame('/other', {}, {})).toBe(false)
  expect(await isSame('/ttl', {}, {})).toBe(true)
  // Nobody said that it is for all.
  expect(await isSame('/ttl', {}, { Cookie: 'id=1' })).toBe(false)
})

test('heedsClients: false leaves no client a way past it', async () => {
  const origin = counting((response, count) => void response.writeHead(200, FRESH).end(String(count)))
  const site = await useCachedSite(origin.listener, { heedsClients: false })
  for (const value of ['max-age=100', 'no-cache', 'no-store', 'max-age=0', 'only-if-cached'])
    expect((await site.ask('/', { 'Cache-Control': value, Pragma: 'no-cache' })).text).toBe('1')
})

test('a target that is written in another way than it is read is nobody else answer', async () => {
  const origin = counting((response, count) => void response.writeHead(200, FRESH).end(String(count)))
  const site = await useCachedSite(origin.listener)
  await site.ask('/x/../a')
  expect((await site.ask('/a')).text).toBe('2')
  expect((await site.ask('/a')).text).toBe('2')
})

test('a GET with a body is nobody else answer', async () => {
  const origin = counting((response, count) => void response.writeHead(200, FRESH).end(String(count)))
  const site = await useCachedSite(origin.listener)
  await exchange(site.port, get('/a', { 'Transfer-Encoding': 'chunked' }) + '1\r\nx\r\n0\r\n\r\n')
  await exchange(site.port, get('/a', { 'Content-Length': '1' }) + 'x')
  expect((await site.ask('/a')).text).toBe('3')
  expect((await site.ask('/a', { 'Content-Length': '0' })).text).toBe('3')
})

test('hits are compressed for whoever takes it, from one stored response', async () => {
  const text = 'The harbour is open. '.repeat(100)
  const origin = counting((response) => {
    response.writeHead(200, { ...FRESH, 'Content-Type': 'text/plain', ETag: '"a"' }).end(text)
  })
  const site = await useCachedSite(origin.listener, {}, 'all')
  await site.ask('/')
  const plain = await site.ask('/')
  expect(plain).toMatchObject({ text, headers: { etag: '"a"', vary: 'Accept-Encoding' } })
  const asked = request({
    port: site.port,
    host: '127.0.0.1',
    headers: { host: 'shop.test', 'accept-encoding': 'gzip' },
  }).end()
  const [packed] = (await once(asked, 'response')) as [IncomingMessage]
  expect(packed.headers).toMatchObject({ 'content-encoding': 'gzip', etag: 'W/"a"', age: expect.any(String) })
  expect(gunzipSync(await buffer(packed)).toString()).toBe(text)
  expect(origin.count).toBe(1)
})

test('what is stored has the security headers of the scheme that it was asked by', async () => {
  const origin = counting((response) => void response.writeHead(200, FRESH).end('x'))
  const site = await useCachedSite(origin.listener, {}, 'all')
  await site.ask('/')
  expect((await site.ask('/')).headers).toMatchObject({
    'x-frame-options': 'SAMEORIGIN',
    age: expect.any(String),
  })
})

test('many keep-alive requests are answered in order from memory', async () => {
  const origin = counting((response, _count, { url }) => void response.writeHead(200, FRESH).end(url))
  const site = await useCachedSite(origin.listener)
  for (const path of ['/1', '/2']) await site.ask(path)
  const socket = connect(site.port, '127.0.0.1')
  const head = (path: string) => `GET ${path} HTTP/1.1\r\nHost: shop.test\r\n\r\n`
  socket.write(head('/1') + head('/2') + head('/1') + get('/2'))
  const text = (await buffer(socket)).toString()
  expect([...text.matchAll(/^\/\d/gm)].map(String)).toEqual(['/1', '/2', '/1', '/2'])
  expect(origin.count).toBe(2)
})

test('more than fits is not kept, and what is kept stays within its bounds', async () => {
  const origin = counting((response) => void response.writeHead(200, FRESH).end(Buffer.alloc(10_000)))
  const site = await useCachedSite(origin.listener, { maxBytes: 100_000, maxEntryBytes: 20_000 })
  const paths = Array.from({ length: 50 }, (_, n) => `/${n}`)
  for (const path of paths) await site.ask(path)
  const before = origin.count
  for (const path of paths) await site.ask(path, { 'Cache-Control': 'only-if-cached' })
  expect(origin.count).toBe(before)
  const kept = site.outcomes.filter((outcome) => outcome === 'hit').length
  expect(kept).toBeGreaterThan(0)
  expect(kept).toBeLessThanOrEqual(9)
})

test('the configuration is held to what makes sense', () => {
  expect(() => parseEdgeConfig({ cache: { maxBytes: 100_000, maxEntryBytes: 50_000 } })).toThrow(
    /maxEntryBytes/,
  )
  expect(() => parseEdgeConfig({ cache: { rules: [{ key: { headers: ['X-Upper'] } }] } })).toThrow(
    /lower case/,
  )
  expect(() =>
    parseEdgeConfig({ cache: { rules: [{ match: { path: '/a' } }, { id: 'b', match: { path: '/a' } }] } }),
  ).toThrow(/cache\.rules\.1 \(b\)/)
})
