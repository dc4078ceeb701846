import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { exchange, get, startEdge } from './edge-server.ts'

const folder = mkdtempSync(join(tmpdir(), 'havn-static-'))
const root = join(folder, 'static')
const media = join(folder, 'media')
const settled = new Date(Date.now() - 60_000)
const big = randomBytes(8 * 1024 * 1024)
const older = join(folder, 'older')
let edge: Awaited<ReturnType<typeof startEdge>>

function put(path: string, content: string | Buffer, modifiedAt = settled): void {
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, content)
  utimesSync(path, modifiedAt, modifiedAt)
}

beforeAll(async () => {
  put(join(root, 'app.css'), 'body { color: teal }')
  put(join(root, 'digits.txt'), '0123456789')
  put(join(root, 'empty.txt'), '')
  put(join(root, 'fresh.txt'), 'new', new Date())
  put(join(root, 'with space & caf\u00e9.html'), '<p>hi</p>')
  put(join(root, 'css/base.0123456789ab.css'), 'a')
  put(join(root, 'assets/index-BkX2Qz1a.js'), 'b')
  put(join(root, 'IMG_2024.jpg'), 'c')
  put(join(root, '.env'), 'SECRET=1')
  put(join(root, '.git/config'), 'secret')
  put(join(root, '.well-known/security.txt'), 'Contact: us')
  put(join(root, 'code.js'), 'original')
  put(join(root, 'code.js.br'), 'brotli')
  put(join(root, 'code.js.zst'), 'zstandard')
  put(join(root, 'code.js.gz'), 'gzip')
  put(join(root, 'stale.js'), 'new')
  put(join(root, 'stale.js.gz'), 'old', new Date(Date.now() - 120_000))
  put(join(root, 'big.bin'), big)
  put(join(folder, 'secret.txt'), 'outside')
  put(join(older, 'app.css'), 'older')
  put(join(older, 'only-older.js'), 'original')
  put(join(older, 'only-older.js.gz'), 'gzip of the older')
  put(join(older, '.env'), 'SECRET=2')
  symlinkSync(join(folder, 'secret.txt'), join(older, 'older-leak.txt'))
  symlinkSync(join(folder, 'secret.txt'), join(root, 'leak.txt'))
  symlinkSync(folder, join(root, 'out'))
  symlinkSync('digits.txt', join(root, 'link.txt'))
  execFileSync('mkfifo', [join(root, 'pipe')])
  put(join(media, 'page.html'), '<script>alert(1)</script>')
  put(join(media, 'drawing.svg'), '<svg/>')
  put(join(media, 'photo.0123456789ab.png'), 'png')
  edge = await startEdge({
    staticFiles: [
      { url: '/static/', directory: root, kind: 'static' },
      { url: '/both/', directory: root, fallbacks: [join(folder, 'not-yet'), older] },
      { url: '/static/uploads/', directory: media, kind: 'media' },
      { url: '/absent/', directory: join(folder, 'not-yet') },
    ],
  })
})
afterAll(async () => {
  await edge[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})

/** Asks twice: what comes from memory is what came from the file. */
async function fetchFile(path: string, headers: Record<string, string> = {}, method = 'GET') {
  const first = await exchange(edge.port, get(path, headers, method))
  const second = await exchange(edge.port, get(path, headers, method))
  expect(withoutChance(second)).toEqual(withoutChance(first))
  return second
}

/** Less the date, and the boundary between ranges, which is drawn anew each time. */
function withoutChance({ status, headers, text }: Awaited<ReturnType<typeof exchange>>) {
  const boundary = /boundary=(\w+)/.exec(headers['content-type'] ?? '')?.[1] ?? '\0'
  const fields = { ...headers, date: '', 'content-type': headers['content-type']?.replace(boundary, '') }
  return { status, fields, text: text.replaceAll(boundary, '') }
}

describe('a file', () => {
  test('is sent with its type, length and validators', async () => {
    const answer = await fetchFile('/static/app.css')
    expect(answer).toMatchObject({ status: 200, text: 'body { color: teal }' })
    expect(answer.headers).toMatchObject({
      'content-type': 'text/css; charset=utf-8',
      'content-length': '20',
      'last-modified': settled.toUTCString(),
      'accept-ranges': 'bytes',
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-cache',
      vary: 'Accept-Encoding',
    })
    expect(answer.headers.etag).toMatch(/^"[\w-]+"$/)
  })

  test('may have a name of any script, decoded once', async () => {
    expect((await fetchFile('/static/with%20space%20%26%20caf%C3%A9.html')).text).toBe('<p>hi</p>')
    expect((await fetchFile('/static/with%2520space%20%26%20caf%C3%A9.html')).status).toBe(404)
    expect((await fetchFile('/st%61tic/app.css')).status).toBe(200)
  })

  test('may be empty', async () => {
    expect(await fetchFile('/static/empty.txt')).toMatchObject({ status: 200, text: '' })
  })

  test('is only described to HEAD', async () => {
    const answer = await fetchFile('/static/digits.txt', { Range: 'bytes=0-1' }, 'HEAD')
    expect(answer).toMatchObject({ status: 200, text: '', headers: { 'content-length': '10' } })
  })

  test('of 8 MiB comes whole', async () => {
    const answer = await fetchFile('/static/big.bin')
    expect(answer.body.equals(big)).toBe(true)
    expect(answer.headers['content-type']).toBe('application/octet-stream')
  })

  test('behind a link within the folder is found', async () => {
    expect((await fetchFile('/static/link.txt')).text).toBe('0123456789')
  })

  test.each([
    ['/static/css/base.0123456789ab.css', 'public, max-age=31536000, immutable'],
    ['/static/assets/index-BkX2Qz1a.js', 'public, max-age=31536000, immutable'],
    ['/static/IMG_2024.jpg', 'no-cache'],
    ['/static/uploads/photo.0123456789ab.png', 'no-cache'],
  ])('%s is cached as %s', async (path, expected) => {
    expect((await fetchFile(path)).headers['cache-control']).toBe(expected)
  })
})

describe('is not found, and never asked of the app', () => {
  test.each([
    '/static/missing.css',
    '/static/',
    '/static/css',
    '/static/css/',
    '/static/app.css/',
    '/static//app.css',
    '/static/.env',
    '/static/.git/config',
    '/static/leak.txt',
    '/static/out/secret.txt',
    '/static/%2e%2e%252fsecret.txt',
    '/static/a%5cx%5csecret.txt',
    '/static/%ff',
    '/static/pipe',
    `/static/${'x'.repeat(300)}`,
    '/absent/app.css',
  ])('%s', async (path) => {
    expect((await fetchFile(path)).status).toBe(404)
  })

  test('while .well-known is, and other paths are the app\u2019s', async () => {
    expect((await fetchFile('/static/.well-known/security.txt')).status).toBe(200)
    expect((await fetchFile('/static')).status).toBe(418)
    expect((await fetchFile('/other')).status).toBe(418)
  })

  test('other methods are not allowed', async () => {
    const answer = await fetchFile('/static/app.css', { 'Content-Length': '0' }, 'POST')
    expect(answer).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } })
  })
})

describe('conditions', () => {
  test('If-None-Match and If-Modified-Since spare the body', async () => {
    const { headers } = await fetchFile('/static/app.css')
    const byTag = await fetchFile('/static/app.css', { 'If-None-Match': `"x", W/${headers.etag}` })
    expect(byTag).toMatchObject({
      status: 304,
      text: '',
      headers: { etag: headers.etag, 'cache-control': 'no-cache' },
    })
    const byDate = await fetchFile('/static/app.css', { 'If-Modified-Since': headers['last-modified']! })
    expect(byDate.status).toBe(304)
  })

  test('If-None-Match wins over If-Modified-Since', async () => {
    const headers = { 'If-None-Match': '"other"', 'If-Modified-Since': new Date().toUTCString() }
    expect((await fetchFile('/static/app.css', headers)).status).toBe(200)
  })

  test('If-Match and If-Unmodified-Since fail with 412', async () => {
    expect((await fetchFile('/static/app.css', { 'If-Match': '"other"' })).status).toBe(412)
    const longAgo = new Date(0).toUTCString()
    expect((await fetchFile('/static/app.css', { 'If-Unmodified-Since': longAgo })).status).toBe(412)
  })

  test('a date that cannot be read is ignored', async () => {
    expect((await fetchFile('/static/app.css', { 'If-Modified-Since': 'yesterday' })).status).toBe(200)
  })

  test('a file that has just changed has a weak tag, which no range trusts', async () => {
    const { headers } = await fetchFile('/static/fresh.txt')
    expect(headers.etag).toMatch(/^W\//)
    expect(
      (await fetchFile('/static/fresh.txt', { Range: 'bytes=0-0', 'If-Range': headers.etag! })).status,
    ).toBe(200)
  })
})

describe('ranges', () => {
  const range = (value: string, more = {}) => fetchFile('/static/digits.txt', { Range: value, ...more })

  test.each([
    ['bytes=0-3', '0123', 'bytes 0-3/10'],
    ['bytes=8-', '89', 'bytes 8-9/10'],
    ['bytes=-3', '789', 'bytes 7-9/10'],
    ['bytes=5-100', '56789', 'bytes 5-9/10'],
    ['bytes=-100', '0123456789', 'bytes 0-9/10'],
    ['bytes=90-91, 1-1', '1', 'bytes 1-1/10'],
  ])('%s', async (value, text, contentRange) => {
    const answer = await range(value)
    expect(answer).toMatchObject({ status: 206, text })
    expect(answer.headers).toMatchObject({
      'content-range': contentRange,
      'content-length': String(text.length),
    })
  })

  test('several come as multipart/byteranges', async () => {
    const answer = await range('bytes=0-1, 4-4,-1')
    expect(answer.status).toBe(206)
    expect(answer.headers['content-length']).toBe(String(answer.body.length))
    const boundary = /^multipart\/byteranges; boundary=(\w+)$/.exec(answer.headers['content-type']!)![1]!
    const part = (contentRange: string, text: string) =>
      `\r\n--${boundary}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes ${contentRange}/10\r\n\r\n${text}`
    expect(answer.text).toBe(
      part('0-1', '01') + part('4-4', '4') + part('9-9', '9') + `\r\n--${boundary}--\r\n`,
    )
  })

  test.each([
    'bytes=3-1',
    'bytes=a-b',
    'bytes=-',
    'lines=0-1',
    'bytes=0-9,0-9',
    `bytes=${'0-0,'.repeat(20)}1-1`,
  ])('%s gets the whole', async (value) => {
    expect(await range(value)).toMatchObject({ status: 200, text: '0123456789' })
  })

  test.each(['bytes=10-', 'bytes=-0'])('%s cannot be satisfied', async (value) => {
    expect(await range(value)).toMatchObject({ status: 416, headers: { 'content-range': 'bytes */10' } })
  })

  test('If-Range holds only for the same file', async () => {
    const { headers } = await fetchFile('/static/digits.txt')
    expect((await range('bytes=0-0', { 'If-Range': headers.etag })).status).toBe(206)
    expect((await range('bytes=0-0', { 'If-Range': headers['last-modified'] })).status).toBe(206)
    expect((await range('bytes=0-0', { 'If-Range': '"other"' })).status).toBe(200)
  })
})

describe('compressed siblings', () => {
  const code = (accept: string) => fetchFile('/static/code.js', { 'Accept-Encoding': accept })

  test.each([
    ['gzip, deflate, br, zstd', 'br', 'brotli'],
    ['gzip;q=1, br;q=0.5', 'gzip', 'gzip'],
    ['br;q=0, *;q=0.3', 'zstd', 'zstandard'],
    ['zstd, br;q=0.9', 'zstd', 'zstandard'],
    ['identity, br;q=0.5', undefined, 'original'],
    ['deflate', undefined, 'original'],
    ['gzip;q=0', undefined, 'original'],
  ])('Accept-Encoding: %s', async (accept, coding, text) => {
    const answer = await code(accept)
    expect(answer).toMatchObject({ status: 200, text })
    expect(answer.headers['content-encoding']).toBe(coding)
    expect(answer.headers).toMatchObject({
      'content-type': 'text/javascript; charset=utf-8',
      vary: 'Accept-Encoding',
    })
  })

  test('have tags of their own', async () => {
    expect((await code('br')).headers.etag).not.toBe((await code('gzip')).headers.etag)
  })

  test('older than the original are leftovers', async () => {
    expect((await fetchFile('/static/stale.js', { 'Accept-Encoding': 'gzip' })).text).toBe('new')
  })
})

describe('uploads', () => {
  test.each(['/static/uploads/page.html', '/static/uploads/drawing.svg'])('%s does not run', async (path) => {
    const { status, headers } = await fetchFile(path)
    expect(status).toBe(200)
    expect(headers).toMatchObject({
      'content-disposition': 'attachment',
      'x-content-type-options': 'nosniff',
    })
    expect(headers['content-security-policy']).toContain('sandbox')
  })

  test('that are pictures are shown', async () => {
    expect((await fetchFile('/static/uploads/photo.0123456789ab.png')).headers).not.toHaveProperty(
      'content-disposition',
    )
  })
})

describe('fallbacks', () => {
  test('have what the first folder has not, compressed siblings included', async () => {
    expect((await exchange(edge.port, get('/both/app.css'))).text).toBe('body { color: teal }')
    const { status, text } = await exchange(edge.port, get('/both/only-older.js'))
    expect({ status, text }).toEqual({ status: 200, text: 'original' })
    const packed = await exchange(edge.port, get('/both/only-older.js', { 'Accept-Encoding': 'gzip' }))
    expect(packed.headers['content-encoding']).toBe('gzip')
    expect(packed.text).toBe('gzip of the older')
  })

  test.each([
    '/both/nowhere.js',
    '/both/.env',
    '/both/older-leak.txt',
    '/both/..%2fsecret.txt',
    '/static/only-older.js',
  ])('show no more than the first: %s', async (path) => {
    const { status, text } = await exchange(edge.port, get(path))
    expect(status).toBeGreaterThanOrEqual(400)
    expect(text).not.toMatch(/SECRET|outside|original/)
  })
})

test('what is added, moved or linked elsewhere shows within a second', async () => {
  put(join(folder, 'one/a.txt'), 'one')
  put(join(folder, 'two/a.txt'), 'two')
  const current = join(folder, 'current')
  symlinkSync(join(folder, 'one'), current)
  await using swapped = await startEdge({ staticFiles: [{ url: '/', directory: current }] })
  const text = async () => (await exchange(swapped.port, get('/a.txt', { 'Accept-Encoding': 'gzip' }))).text
  expect(await text()).toBe('one')
  rmSync(current)
  symlinkSync(join(folder, 'two'), current)
  await vi.waitFor(async () => expect(await text()).toBe('two'), 5_000)
  rmSync(join(folder, 'two'), { recursive: true })
  await vi.waitFor(async () => expect(await text()).toBe('404 Not Found\n'), 5_000)
  put(join(folder, 'two/a.txt'), 'three')
  expect(await text()).toBe('three')
  put(join(folder, 'two/a.txt.gz'), 'zipped')
  await vi.waitFor(async () => expect(await text()).toBe('zipped'), 5_000)
})

describe('files in memory', () => {
  const ask = async (port: number, path: string) => (await exchange(port, get(path))).text

  test('are taken from there until they are looked at again, and then as they are', async () => {
    put(join(folder, 'kept/a.txt'), 'before')
    await using kept = await startEdge({
      staticFiles: [{ url: '/', directory: join(folder, 'kept') }],
      fileCache: { freshMs: 300 },
    })
    expect(await ask(kept.port, '/a.txt')).toBe('before')
    rmSync(join(folder, 'kept/a.txt'))
    expect(await ask(kept.port, '/a.txt')).toBe('before')
    put(join(folder, 'kept/a.txt'), 'after!')
    await vi.waitFor(async () => expect(await ask(kept.port, '/a.txt')).toBe('after!'), 5_000)
  })

  test('are sent alike on connections that stay and on those that end', async () => {
    const stays = (path: string, headers = '') => `GET ${path} HTTP/1.1\r\nHost: shop.test\r\n${headers}\r\n`
    const asked = stays('/static/code.js', 'Accept-Encoding: br\r\n')
    const last = get('/static/code.js', { 'Accept-Encoding': 'br' })
    const { text } = await exchange(edge.port, asked + asked + last)
    // exchange() takes the first head off; what is left is body, answer, answer.
    const [first, second, third] = text.split(/(?=HTTP\/1\.1 200 OK\r\n)/)
    expect(first).toBe('brotli')
    expect(second!.split('\r\n\r\n')[1]).toBe('brotli')
    expect(third!.replace('Connection: close\r\n', '')).toBe(second)
    const [, etag = ''] = /ETag: (.*)\r\n/.exec(second!)!
    const known = await exchange(
      edge.port,
      stays('/static/code.js', `Accept-Encoding: br\r\nIf-None-Match: ${etag}\r\n`) + last,
    )
    expect([known.status, known.headers['etag'], known.headers['vary']]).toEqual([
      304,
      etag,
      'Accept-Encoding',
    ])
    expect(known.text).toMatch(/^HTTP\/1\.1 200 OK/)
  })

  test('are none that have just been written, are too large, or where none are wanted', async () => {
    const wants = async (config: object, content: string, modifiedAt = settled) => {
      put(join(folder, 'not-kept/a.txt'), content, modifiedAt)
      await using server = await startEdge({
        staticFiles: [{ url: '/', directory: join(folder, 'not-kept') }],
        fileCache: config,
      })
      await ask(server.port, '/a.txt')
      put(join(folder, 'not-kept/a.txt'), 'changed', modifiedAt)
      return await ask(server.port, '/a.txt')
    }
    expect(await wants({ freshMs: 60_000 }, 'settled')).toBe('settled')
    expect(await wants({ freshMs: 60_000 }, 'new', new Date())).toBe('changed')
    expect(await wants({ freshMs: 60_000, maxFileBytes: 7 }, '8 bytes.')).toBe('changed')
    expect(await wants({ freshMs: 60_000, maxBytes: 0 }, '')).toBe('changed')
  })

  test('leave, those asked for least lately first, when others need their place', async () => {
    const directory = join(folder, 'many')
    for (const name of ['a', 'b', 'c']) put(join(directory, name), name.repeat(1_000))
    await using server = await startEdge({
      staticFiles: [{ url: '/', directory }],
      fileCache: { freshMs: 60_000, maxBytes: 7_000 },
    })
    for (const name of ['a', 'b', 'a', 'c']) await ask(server.port, `/${name}`)
    for (const name of ['a', 'b', 'c']) put(join(directory, name), 'changed')
    expect((await ask(server.port, '/a'))[0]).toBe('a')
    expect((await ask(server.port, '/c'))[0]).toBe('c')
    expect(await ask(server.port, '/b')).toBe('changed')
  })
})

test('a process that has no descriptor left answers 503', () => {
  const script = join(import.meta.dirname, 'out-of-files.ts')
  const limited = ['-c', 'ulimit -n 64; exec "$@"', 'sh', process.execPath, script, root]
  expect(execFileSync('/bin/sh', limited, { encoding: 'utf8' })).toBe('200 503 200\n')
})

describe('clients', () => {
  test('that go away close the file', async () => {
    const isOpen = () =>
      readdirSync('/proc/self/fd').some((fd) => {
        try {
          return readlinkSync(`/proc/self/fd/${fd}`) === join(root, 'big.bin')
        } catch {
          return false
        }
      })
    const socket = connect(edge.port, '127.0.0.1')
    socket.pause()
    socket.write(get('/static/big.bin'))
    await vi.waitFor(() => expect(isOpen()).toBe(true))
    socket.destroy()
    await vi.waitFor(() => expect(isOpen()).toBe(false))
  })

  test('that read slowly are waited for', async () => {
    const socket = connect(edge.port, '127.0.0.1')
    socket.write(get('/static/big.bin'))
    let bytes = 0
    for await (const chunk of socket) {
      bytes += (chunk as Buffer).length
      if (bytes % 7 === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    }
    expect(bytes).toBeGreaterThan(big.length)
  })
})
