import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { expect, test } from 'vitest'
import { createListener } from '../src/index.ts'
import { defaults, exchange } from './raw-exchange.ts'

const first = 'GET /first HTTP/1.1\r\nHost: a.test\r\n\r\n'
const chunked = 'POST /second HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n'

/** A listener whose answer to `/first` comes late: what follows it on the connection is read meanwhile. */
async function startLate(answerSecond?: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createListener(defaults, {
    request(request, response, target) {
      if (target.path === '/first') setTimeout(() => response.end('the first answer'), 50)
      else if (answerSecond) answerSecond(request, response)
      else
        request
          .on('error', () => {})
          .on('end', () => response.end('the second answer'))
          .resume()
    },
    upgrade: (_request, socket) => socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n'),
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return Object.assign(server, {
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
    },
  })
}

test.each([
  ['a bad chunk', `${chunked}zz\r\n`, [200, 400]],
  ['a bad chunk in a packet of its own', [first + chunked, 'zz\r\n'], [200, 400]],
  ['a bad chunk behind a good one', `${chunked}1\r\na\r\n0x1\r\n`, [200, 400]],
  ['a bad chunk, with a request behind it', `${chunked}zz\r\n${first}`, [200, 400]],
  ['a fault in the third', `${first}${chunked}zz\r\n`, [200, 200, 400]],
  ['a bad head', 'GET /second HTTP/1.1\r\nHost : a.test\r\n\r\n', [200, 400]],
  ['an unknown expectation', chunked.replace('\r\n\r\n', '\r\nExpect: x\r\n\r\n'), [200, 417]],
  ['raw bytes beyond ASCII', 'GET /\xe9 HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n', [200, 200]],
  ['no Host', 'GET /second HTTP/1.1\r\n\r\n', [200, 400]],
  ['CONNECT', 'CONNECT b.test:80 HTTP/1.1\r\nHost: b.test:80\r\n\r\n', [200, 405]],
  [
    'a WebSocket handshake',
    'GET /second HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    [200, 400],
  ],
])('a request keeps its answer whatever follows it: %s', async (_name, rest, statuses) => {
  await using server = await startLate()
  const { text } = await exchange(server, typeof rest === 'string' ? first + rest : rest)
  expect(statusesOf(text)).toEqual(statuses)
  expect(text).toContain('the first answer')
})

test('an answer that was given before the fault in its body was seen is not followed by another', async () => {
  await using server = await startLate((_request, response) => response.end('without the body'))
  const { text } = await exchange(server, [chunked, 'zz\r\n'])
  expect(statusesOf(text)).toEqual([200])
  expect(text).toContain('without the body')
})

test('an answer that has begun before the fault in its body was seen is cut off', async () => {
  await using server = await startLate((_request, response) => void response.write('begun'))
  const { text } = await exchange(server, [chunked, 'zz\r\n'])
  expect(statusesOf(text)).toEqual([200])
  expect(text).not.toContain('\r\n0\r\n')
})

test('a request waits for the answers before it, so that none overtakes another', async () => {
  const began: string[] = []
  await using server = await startLate((_request, response) => {
    began.push('second')
    response.end('the second answer')
  })
  server.prependListener('request', (request, response) => {
    if (request.url === '/first') response.once('finish', () => began.push('first answered'))
  })
  const { text } = await exchange(server, first + chunked + '0\r\n\r\nBAD\r\n\r\n')
  expect(statusesOf(text)).toEqual([200, 200, 400])
  expect(began).toEqual(['first answered', 'second'])
})

test('a request behind the last answer of a connection never begins', async () => {
  let began = 0
  await using server = await startLate((_request, response) => {
    began++
    response.end()
  })
  const last = first.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')
  const { text } = await exchange(server, last + chunked + '0\r\n\r\n')
  expect([statusesOf(text), began]).toEqual([[200], 0])
})

function statusesOf(text: string): number[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status]) => Number(status))
}
