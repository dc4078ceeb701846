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
      else request.on('error', () => {}).on('end', () => response.end('the second answer')).resume()
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
  const { text } = await exchange(server, [first + chunked, 'zz\r\n'])
  expect(statusesOf(text)).toEqual([200, 200])
  expect(text).toContain('without the body')
})

test('an answer that has begun before the fault in its body was seen is cut off', async () => {
  await using server = await startLate((_request, response) => {
    response.write('begun')
  })
  const { text } = await exchange(server, [first + chunked, 'zz\r\n'])
  expect(statusesOf(text)).toEqual([200, 200])
  expect(text).not.toContain('\r\n0\r\n')
})

function statusesOf(text: string): number[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status]) => Number(status))
}
