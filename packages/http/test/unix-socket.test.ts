import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createListener } from '../src/index.ts'
import type { RequestTarget } from '../src/index.ts'
import { defaults } from './raw-exchange.ts'

test.each([
  [['unix'], { clientAddress: '7.7.7.7', scheme: 'https' }],
  [['127.0.0.1'], { clientAddress: '', clientPort: 0, scheme: 'http' }],
])('a peer on a Unix socket, with trust in %j', async (trustedProxies, expected) => {
  const folder = mkdtempSync(join(tmpdir(), 'havn-http-'))
  const path = join(folder, 'listener.sock')
  const seen = Promise.withResolvers<RequestTarget>()
  const server = createListener(
    { ...defaults, trustedProxies },
    {
      request: (_request, response, target) => {
        seen.resolve(target)
        response.end()
      },
      upgrade: (_request, socket) => socket.destroy(),
    },
  )
  server.listen(path)
  await once(server, 'listening')
  const client = connect(path)
  client.write('GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 7.7.7.7\r\nX-Forwarded-Proto: https\r\n\r\n')
  expect(await seen.promise).toMatchObject({ ...expected, serverAddress: path, serverPort: null })
  client.destroy()
  server.closeAllConnections()
  server.close()
  rmSync(folder, { recursive: true })
})
