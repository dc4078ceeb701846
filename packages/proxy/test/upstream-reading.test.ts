import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { exchange, get } from './edge-server.ts'
import { groupOf, startEdgeTo, startHttp, startSocket } from './upstream-servers.ts'

/** Writes what its clients ask for in pieces, each at a time when others write theirs. */
async function writeInPieces(head: string, body: string, size: number) {
  return startSocket((socket) =>
    socket.on('data', async (request: Buffer) => {
      const letter = /^GET \/(.)/.exec(request.toString('latin1'))![1]!
      const response = head + body.replaceAll('.', letter)
      for (let at = 0; at < response.length; at += size) {
        socket.write(response.slice(at, at + size))
        await delay(1 + Math.random() * 3)
      }
    }),
  )
}

test.each([
  ['a small body', 'HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n', '.'.repeat(60), 7],
  ['a streamed body', 'HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n', '.'.repeat(100_000), 9_973],
  [
    'chunks',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
    `${'a\r\n..........\r\n'.repeat(8)}0\r\n\r\n`,
    7,
  ],
])('responses with %s that arrive together do not mix', async (_name, head, body, size) => {
  const edge = await startEdgeTo(groupOf([await writeInPieces(head, body, size)]))
  const ask = async (letter: string) => {
    for (let n = 0; n < 3; n++) {
      const { text } = await exchange(edge.port, get(`/${letter}`))
      const wanted = body.includes('\r') ? 80 : body.length
      const payload = body.includes('\r') ? text.replaceAll(/[^b-z]/g, '') : text
      expect(payload).toBe(letter.repeat(wanted))
    }
  }
  await Promise.all([...'pqrstuvw'].map(ask))
})

test('responses that are read in one turn do not mix', async () => {
  const letters = [...'pqrstuvw']
  const waiting: (() => void)[] = []
  const server = await startSocket((socket) =>
    socket.on('data', (request: Buffer) => {
      const letter = /^GET \/(.)/.exec(request.toString('latin1'))![1]!
      waiting.push(() =>
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\n${letter.repeat(20_000)}`),
      )
      if (waiting.length === letters.length) for (const write of waiting.splice(0)) write()
    }),
  )
  const edge = await startEdgeTo(groupOf([server]))
  for (let n = 0; n < 3; n++) {
    // Connections that are kept: one that closes is written to at once, and not at the end of the turn.
    const ask = async (letter: string) => (await fetch(`http://127.0.0.1:${edge.port}/${letter}`)).text()
    expect(await Promise.all(letters.map(ask))).toEqual(letters.map((letter) => letter.repeat(20_000)))
  }
})

test('responses whose clients are slow to read them do not mix', async () => {
  const size = 12 * 1024 * 1024
  const server = await startHttp((request, response) => {
    response.writeHead(200, { 'Content-Length': size }).end(request.url!.slice(1).repeat(size))
  })
  const edge = await startEdgeTo(groupOf([server]))
  const ask = async (letter: string) => {
    const response = await fetch(`http://127.0.0.1:${edge.port}/${letter}`)
    await delay(300)
    const text = await response.text()
    expect(text === letter.repeat(size)).toBe(true)
  }
  await Promise.all([...'pqr'].map(ask))
})

test('a server may think for longer than its connection may idle or its body may pause', async () => {
  const server = await startSocket((socket) =>
    socket.on('data', async () => {
      await delay(700)
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    }),
  )
  const limits = { keepAliveMs: 200, idleTimeoutMs: 200, responseTimeoutMs: 20_000 }
  const edge = await startEdgeTo(groupOf([server], limits))
  for (let n = 0; n < 2; n++)
    expect(await exchange(edge.port, get('/'))).toMatchObject({ status: 200, text: 'ok' })
})
