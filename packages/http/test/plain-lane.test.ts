import { once } from 'node:events'
import type { Server } from 'node:http'
import { connect } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { createListener } from '../src/index.ts'
import type { ListenerOptions, PlainExchange } from '../src/index.ts'
import { defaults, exchange, startPlainEcho } from './raw-exchange.ts'

const get = (path: string, headers = '') => `GET ${path} HTTP/1.1\r\nHost: a\r\n${headers}\r\n`
const post = (path: string, body: string) =>
  `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`
const close = 'Connection: close\r\n'

/** `plain /a`, `node /b`: which lane answered which path, in the order of the answers. */
function lanes(text: string): string[] {
  return text
    .split('HTTP/1.1 200 OK')
    .slice(1)
    .map((answer) => {
      const { path } = (JSON.parse(answer.slice(answer.indexOf('{'), answer.lastIndexOf('}') + 1)) as Seen)
        .target
      return `${answer.includes('X-Lane: plain') ? 'plain' : 'node'} ${path}`
    })
}
interface Seen {
  target: { path: string }
}

/** A listener whose plain requests wait for the test to answer them; others get 200. */
async function startHeld(options: Partial<ListenerOptions> = {}) {
  const held: PlainExchange[] = []
  const ends: boolean[] = []
  const server = createListener(
    { ...defaults, ...options },
    {
      request: (_request, response) => void response.end(),
      upgrade: (_request, socket) => void socket.destroy(),
      plain(plain) {
        plain.user = { onPlainEnd: (aborted) => ends.push(aborted) }
        held.push(plain)
        return true
      },
    },
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { server, held, ends }
}

function open(server: Server): Socket & { text: string } {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  const seen = Object.assign(socket, { text: '' })
  socket.on('data', (chunk) => (seen.text += chunk.toString('latin1')))
  return seen
}

async function until(condition: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 10_000; !condition(); await sleep(5)) {
    if (Date.now() > deadline) throw new Error('it did not happen')
  }
}

const answer = (plain: PlainExchange, body = 'ok') =>
  plain.send(200, `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n`, body)

test('pipelined requests are answered in order, through both lanes', async () => {
  await using server = await startPlainEcho()
  const bytes = get('/1') + get('/2') + post('/3', 'body') + get('/4', close)
  const { text } = await exchange(server, bytes)
  expect(lanes(text)).toEqual(['plain /1', 'plain /2', 'node /3', 'node /4'])
  expect(text).toContain('"body":"body"')
})

test('a head that comes in two packets is read by node:http', async () => {
  await using server = await startPlainEcho()
  const { text } = await exchange(server, [get('/1'), 'GET /2 HTTP/1.1\r\nHo', `st: a\r\n${close}\r\n`])
  expect(lanes(text)).toEqual(['plain /1', 'node /2'])
})

test('a client that sends no more gets its answers, and the end', async () => {
  await using server = await startPlainEcho()
  const socket = open(server)
  socket.end(get('/1') + post('/2', 'x') + get('/3'))
  await once(socket, 'close')
  expect(lanes(socket.text)).toEqual(['plain /1', 'node /2', 'node /3'])
})

test('nothing is read behind a request before it is answered', async () => {
  const { server, held } = await startHeld()
  const socket = open(server)
  socket.write(get('/1') + get('/2'))
  await until(() => held.length === 1)
  await sleep(50)
  expect(held).toHaveLength(1)
  answer(held[0]!)
  await until(() => held.length === 2)
  answer(held[1]!)
  await until(() => socket.text.split('200 OK').length === 3)
})

test('a client that leaves is heard of, once', async () => {
  const { server, held, ends } = await startHeld()
  const socket = open(server)
  socket.write(get('/1'))
  await until(() => held.length === 1)
  socket.destroy()
  await until(() => ends.length === 1)
  expect(ends).toEqual([true])
  expect(held[0]!.isOver).toBe(true)
})

test("a response of node:http's own may stream, and the connection goes on", async () => {
  const { server, held, ends } = await startHeld()
  const socket = open(server)
  socket.write(get('/1'))
  await until(() => held.length === 1)
  const { response } = held[0]!
  response.write('first,')
  await until(() => socket.text.includes('first,'))
  response.end('last')
  await until(() => socket.text.endsWith('0\r\n\r\n'))
  expect(ends).toEqual([false])
  expect(held[0]!.status).toBe(200)
  socket.write(get('/2'))
  await until(() => held.length === 2)
  answer(held[1]!)
  await until(() => socket.text.endsWith('ok'))
})

test('a closing server ends idle connections, and busy ones after their answer', async () => {
  const { server, held } = await startHeld()
  const [idle, busy] = [open(server), open(server)]
  const ended = Promise.all([once(idle, 'close'), once(busy, 'close')])
  idle.write(get('/1'))
  await until(() => held.length === 1)
  answer(held[0]!)
  await until(() => idle.text.endsWith('ok'))
  busy.write(get('/2'))
  await until(() => held.length === 2)
  const closed = new Promise((resolve) => server.close(resolve))
  await once(idle, 'close')
  held[1]!.closes = true
  answer(held[1]!)
  await closed
  await ended
  expect(busy.text).toMatch(/Connection: close\r\n\r\nok$/)
})

test('an idle connection is closed after the keep-alive time, one that waits for its answer is not', async () => {
  const { server, held } = await startHeld({ timeouts: { headersMs: 10_000, keepAliveMs: 100 } })
  const socket = open(server)
  socket.write(get('/1'))
  await until(() => held.length === 1)
  answer(held[0]!)
  await until(() => socket.text.endsWith('ok'))
  socket.write(get('/2'))
  await until(() => held.length === 2)
  await sleep(300)
  expect(socket.readyState).toBe('open')
  answer(held[1]!)
  await once(socket, 'close')
})

test('a client that does not read its answers gets no further ones', async () => {
  const { server, held } = await startHeld()
  const socket = open(server)
  socket.pause()
  const body = 'x'.repeat(1 << 20)
  let answered = 0
  const timer = setInterval(() => {
    for (const plain of held.splice(0)) {
      answered++
      answer(plain, body)
    }
  }, 1)
  onTestFinished(() => clearInterval(timer))
  socket.write(get('/').repeat(64))
  await sleep(500)
  expect(answered).toBeLessThan(32)
  socket.resume()
  await until(() => answered === 64)
})
