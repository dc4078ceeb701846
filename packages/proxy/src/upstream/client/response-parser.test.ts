import { once } from 'node:events'
import { request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { createServer as createSocketServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { forwardableHeaders } from '@havn/http'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ResponseHead } from './response-head.ts'
import { ResponseParser } from './response-parser.ts'

interface Outcome {
  head: ResponseHead | null
  body: string
  isOver: boolean
  behind: number
  error: string | null
}

/** What the parser makes of the bytes, cut at these places. */
function parse(bytes: Buffer, method = 'GET', cuts: readonly number[] = [], ends = true): Outcome {
  const outcome: Outcome = { head: null, body: '', isOver: false, behind: 0, error: null }
  const parser = new ResponseParser(method, {
    onHead: (head) => (outcome.head = head),
    onBody: (chunk) => (outcome.body += chunk.toString('latin1')),
    onEnd: () => (outcome.isOver = true),
  })
  try {
    let start = 0
    for (const end of [...cuts, bytes.length]) {
      const part = bytes.subarray(start, end)
      start = end
      if (part.length === 0) continue
      if (parser.isOver) outcome.behind += part.length
      else outcome.behind += parser.push(part)
    }
    if (ends) parser.finish()
  } catch (error) {
    outcome.error = (error as Error).message
  }
  return outcome
}

const bodies = fc.array(
  fc.uint8Array({ minLength: 1, maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  { maxLength: 5 },
)
const fields = fc.array(
  fc.tuple(
    fc.stringMatching(/^X-[A-Za-z0-9!#$_.~-]{1,12}$/),
    fc.stringMatching(/^[!-~]([ -~]{0,20}[!-~])?$/),
  ),
  { maxLength: 6 },
)
const statuses = fc.constantFrom(200, 201, 203, 206, 301, 404, 418, 500, 503)

/** Valid responses, each with the body that it stands for. */
const responses = fc
  .record({
    status: statuses,
    fields,
    bodies,
    framing: fc.constantFrom('length', 'chunked', 'close'),
    informational: fc.constantFrom(
      '',
      'HTTP/1.1 100 Continue\r\n\r\n',
      'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n',
    ),
    extension: fc.constantFrom('', ';a=b', ';x="y"'),
    trailer: fc.constantFrom('', 'X-T: 1\r\n'),
  })
  .map((made) => {
    const body = Buffer.concat(made.bodies)
    let head = `${made.informational}HTTP/1.1 ${made.status} Fine\r\n`
    for (const [name, value] of made.fields) head += `${name}: ${value}\r\n`
    const parts: Buffer[] = []
    if (made.framing === 'length') head += `Content-Length: ${body.length}\r\n`
    if (made.framing === 'close') head += 'Connection: close\r\n'
    if (made.framing !== 'chunked') parts.push(body)
    else {
      head += 'Transfer-Encoding: chunked\r\n'
      for (const chunk of made.bodies)
        parts.push(
          Buffer.from(`${chunk.length.toString(16)}${made.extension}\r\n`),
          chunk,
          Buffer.from('\r\n'),
        )
      parts.push(Buffer.from(`0\r\n${made.trailer}\r\n`))
    }
    return {
      bytes: Buffer.concat([Buffer.from(head + '\r\n', 'latin1'), ...parts]),
      body: body.toString('latin1'),
    }
  })

test('any split of a response reads the same', () => {
  fc.assert(
    fc.property(responses, fc.array(fc.nat(600), { maxLength: 30 }), ({ bytes, body }, places) => {
      const cuts = places.filter((place) => place < bytes.length).sort((one, other) => one - other)
      const whole = parse(bytes)
      expect(whole).toMatchObject({ body, isOver: true, behind: 0, error: null })
      expect(parse(bytes, 'GET', cuts)).toEqual(whole)
      expect(parse(bytes, 'GET', [...bytes.keys()])).toEqual(whole)
    }),
  )
})

test('any split of nonsense fails the same, or not at all', () => {
  const start = Buffer.from('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
  const soup = fc.array(
    fc.constantFrom('0', '5', 'a', 'x', '\r', '\n', '\r\n', ';', ' ', ':', '\0', 'hello'),
    { maxLength: 30 },
  )
  fc.assert(
    fc.property(soup, (pieces) => {
      const bytes = Buffer.concat([start, Buffer.from(pieces.join(''))])
      const whole = parse(bytes)
      const split = parse(bytes, 'GET', [...bytes.keys()])
      expect([split.error, split.isOver, split.behind]).toEqual([whole.error, whole.isOver, whole.behind])
    }),
  )
})

test('valid responses read as node:http reads them', async () => {
  let answer: Buffer = Buffer.alloc(0)
  const server = createSocketServer((socket) => void socket.once('data', () => socket.end(answer))).listen(
    0,
    '127.0.0.1',
  )
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await fc.assert(
    fc.asyncProperty(responses, async ({ bytes }) => {
      answer = bytes
      const sent = request({ port, host: '127.0.0.1', agent: false }).end()
      const [received] = (await once(sent, 'response')) as [IncomingMessage]
      let body = ''
      for await (const chunk of received) body += (chunk as Buffer).toString('latin1')
      const ours = parse(bytes)
      expect(ours.head).toMatchObject({
        status: received.statusCode,
        headers: forwardableHeaders(received.rawHeaders),
      })
      expect(ours.body).toBe(body)
    }),
    { numRuns: 60 },
  )
  server.close()
})

test.each([
  ['a bare LF in the head', 'HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n'],
  ['a folded header', 'HTTP/1.1 200 OK\r\nX-A: 1\r\n 2\r\nContent-Length: 0\r\n\r\n'],
  ['a space before the colon', 'HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n'],
  ['NUL in a value', 'HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n'],
  ['a bare CR in a value', 'HTTP/1.1 200 OK\r\nX: a\rb\r\nContent-Length: 0\r\n\r\n'],
  [
    'a length and chunks',
    'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ],
  ['two equal lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n'],
  ['a list of lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 0, 0\r\n\r\n'],
  ['a signed length', 'HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\na'],
  ['an empty length', 'HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n'],
  ['another transfer coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n'],
  ['xchunked', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n'],
  ['chunks in HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['a chunk size in 0x', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n'],
  ['a bare LF behind a chunk size', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\na\r\n0\r\n\r\n'],
  [
    'a chunk longer than its size',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n',
  ],
  ['101 unasked', 'HTTP/1.1 101 X\r\nUpgrade: x\r\n\r\n'],
  ['HTTP/2', 'HTTP/2 200\r\n\r\n'],
  ['status 99', 'HTTP/1.1 099 X\r\n\r\n'],
  ['a head without end', 'HTTP/1.1 200 OK\r\nX: ' + 'a'.repeat(70_000)],
  ['too many headers', 'HTTP/1.1 200 OK\r\n' + 'X: 1\r\n'.repeat(300) + '\r\n'],
  ['informational responses without end', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(100)],
  ['another protocol', 'SSH-2'],
])('%s is refused before the other side has closed', (_name, text) => {
  const outcome = parse(Buffer.from(text, 'latin1'), 'GET', [], false)
  expect(outcome.error).not.toBeNull()
  expect(outcome.isOver).toBe(false)
})

test.each([
  ['HEAD', 200, 'Content-Length: 5\r\n'],
  ['GET', 204, ''],
  ['GET', 304, 'Content-Length: 5\r\n'],
])('%s %i has no body, and what follows is nobody’s', (method, status, field) => {
  const outcome = parse(
    Buffer.from(`HTTP/1.1 ${status} X\r\n${field}\r\nHTTP/1.1 200 OK\r\n\r\n`),
    method,
    [],
    false,
  )
  expect(outcome).toMatchObject({ body: '', isOver: true, behind: 19, error: null })
})
