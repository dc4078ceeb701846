import { once } from 'node:events'
import { expect, test } from 'vitest'
import { createListener, limitBody, sendError } from '../src/index.ts'
import { defaults, exchange } from './raw-exchange.ts'

test('a chunked body that runs over ends in 413, one that does not is whole', async () => {
  const server = createListener(defaults, {
    request(request, response) {
      let bytes = 0
      limitBody(request, 10)
        .on('data', (chunk: Buffer) => (bytes += chunk.length))
        .on('error', (error: Error & { status?: number }) =>
          sendError(response, error.status!, { close: true }),
        )
        .on('end', () => response.end(`${bytes} bytes`))
    },
    upgrade: (_request, socket) => socket.destroy(),
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    const head = 'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n'
    const ten = await exchange(server, head + '5\r\n12345\r\n5\r\n12345\r\n0\r\n\r\n')
    expect(ten.text).toContain('10 bytes')
    const eleven = await exchange(server, [head, '5\r\n12345\r\n', '6\r\n123456\r\n', '0\r\n\r\n'])
    expect(eleven.status).toBe(413)
  } finally {
    server.closeAllConnections()
    server.close()
  }
})
