import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ResponseReader } from './response-reader.ts'
import type { ResponseFields, TrailerFields } from './response-reader.ts'

interface Seen {
  heads: { fields: ResponseFields; isWhole: boolean }[]
  information: ResponseFields[]
  body: string
  isComplete: boolean
  mayEnd: boolean
  trailers: TrailerFields
}

/** What a reader makes of a response that comes in these parts. */
function read(parts: readonly (string | Buffer)[], isHead = false): Seen {
  const seen: Seen = { heads: [], information: [], body: '', isComplete: false, mayEnd: false, trailers: {} }
  const body: Buffer[] = []
  const reader = new ResponseReader({
    isHead,
    onInformation: (fields) => seen.information.push(fields),
    onHead: (fields, isWhole) => seen.heads.push({ fields, isWhole }),
  })
  for (const part of parts) reader.read(Buffer.from(part as string, 'latin1'), body)
  const { isComplete, mayEnd, trailers } = reader
  return { ...seen, trailers, body: Buffer.concat(body).toString('latin1'), isComplete, mayEnd }
}

const ok = 'HTTP/1.1 200 OK\r\n'

describe('a response as node:http writes it', () => {
  test('with a length', () => {
    expect(read([`${ok}Content-Length: 5\r\nX-A: b: c\r\n\r\nhe`, 'llo'])).toEqual({
      heads: [{ fields: { ':status': 200, 'content-length': '5', 'x-a': 'b: c' }, isWhole: false }],
      information: [],
      body: 'hello',
      isComplete: true,
      mayEnd: true,
      trailers: {},
    })
  })

  test('chunked', () => {
    const seen = read([
      `${ok}Transfer-Encoding: chunked\r\n\r\n`,
      '5\r\nhello\r\n',
      '1F\r\n',
      'x'.repeat(31),
      '\r\n0\r\n\r\n',
    ])
    expect(seen).toMatchObject({ body: 'hello' + 'x'.repeat(31), isComplete: true })
    expect(seen.heads[0]!.fields).toEqual({ ':status': 200 })
  })

  test('with trailers, lists of gRPC in fields of their own', () => {
    const trailers = 'X: y\r\nx: z\r\nA-Bin: AA==\r\na-bin: AQ==\r\nTE: x\r\n'
    const parts = [`${ok}Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n`, `0\r\n${trailers}\r\n`]
    expect(read(parts)).toMatchObject({
      body: 'a',
      isComplete: true,
      trailers: { x: 'y, z', 'a-bin': ['AA==', 'AQ=='] },
    })
    expect(read([parts[0]!, '0\r\nX: y\r\n'])).toMatchObject({ isComplete: false, mayEnd: false })
  })

  test('whose body ends before it begins: its head is all of it, unless trailers follow', () => {
    const head = `${ok}Transfer-Encoding: chunked\r\n\r\n`
    expect(read([`${head}0\r\n\r\n`])).toMatchObject({ heads: [{ isWhole: true }], isComplete: true })
    expect(read([`${head}0\r\nX: y\r\n\r\n`]).heads).toMatchObject([{ isWhole: false }])
    expect(read([head, '0\r\n\r\n']).heads).toMatchObject([{ isWhole: false }])
  })

  test('to the end of its connection', () => {
    expect(read([`${ok}Connection: close\r\n\r\nab`, 'c'])).toMatchObject({
      heads: [{ fields: { ':status': 200 }, isWhole: false }],
      body: 'abc',
      isComplete: false,
      mayEnd: true,
    })
  })

  test('cut off', () => {
    expect(read([`${ok}Content-Length: 5\r\n\r\nhell`])).toMatchObject({ isComplete: false, mayEnd: false })
    expect(read([`${ok}Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n`])).toMatchObject({ mayEnd: false })
    expect(read([ok])).toMatchObject({ heads: [], mayEnd: false })
  })

  test.each([
    ['to HEAD', `${ok}Content-Length: 5\r\n\r\n`, true],
    ['204', 'HTTP/1.1 204 No Content\r\n\r\n', false],
    ['304', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n', false],
    ['of length 0', `${ok}Content-Length: 0\r\n\r\n`, false],
  ])('%s has no body', (_what, text, isHead) => {
    expect(read([text], isHead)).toMatchObject({ heads: [{ isWhole: true }], isComplete: true })
  })

  test('with informational ones before it', () => {
    const parts = [
      'HTTP/1.1 100 Continue\r\n\r\n',
      'HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n',
      `${ok}\r\n`,
    ]
    const { information, heads } = read(parts)
    expect(information).toEqual([{ ':status': 100 }, { ':status': 103, link: 'a' }])
    expect(heads).toHaveLength(1)
  })

  test('whose fields repeat: a list, but for cookies', () => {
    const fields = 'Vary: a\r\nvary: b\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nSet-Cookie: c=3\r\n'
    expect(read([`${ok}${fields}\r\n`]).heads[0]!.fields).toEqual({
      ':status': 200,
      vary: 'a, b',
      'set-cookie': ['a=1', 'b=2', 'c=3'],
    })
  })

  test('loses what it says of its connection', () => {
    const fields =
      'Connection: keep-alive\r\nKeep-Alive: timeout=5\r\nUpgrade: h2c\r\nTE: x\r\nProxy-Connection: x\r\n'
    expect(read([`${ok}${fields}\r\n`]).heads[0]!.fields).toEqual({ ':status': 200 })
  })
})

test('is the same however it is cut', () => {
  const response = fc.oneof(
    fc.string({ unit: 'binary-ascii' }).map((body) => `${ok}Content-Length: ${body.length}\r\n\r\n${body}`),
    fc.array(fc.string({ unit: 'binary-ascii', minLength: 1 })).map((chunks) => {
      const coded = chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('')
      return `HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n${ok}Transfer-Encoding: chunked\r\n\r\n${coded}0\r\nX: y\r\n\r\n`
    }),
  )
  fc.assert(
    fc.property(response, fc.array(fc.nat(400)), (text, cuts) => {
      const ends = [...new Set([...cuts.filter((cut) => cut < text.length), text.length])].sort(
        (a, b) => a - b,
      )
      const parts = ends.map((end, n) => text.slice(ends[n - 1] ?? 0, end))
      expect(read(parts)).toEqual(read([text]))
      expect(read(parts).isComplete).toBe(true)
    }),
    { numRuns: 500 },
  )
})
