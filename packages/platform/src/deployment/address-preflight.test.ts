import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { assertAddressFree, findFreePort } from './address-preflight.ts'

test('a port in use is an error that names it; a free one is not', async () => {
  const holder = createServer().listen(0, '127.0.0.1')
  await once(holder, 'listening')
  const { port } = holder.address() as AddressInfo
  const address = { type: 'tcp', host: '127.0.0.1', port } as const
  await expect(assertAddressFree(address)).rejects.toMatchObject({
    code: 'HAVN_ERR_PORT_TAKEN',
    message: `127.0.0.1:${port} is in use by another program.`,
  })
  holder.close()
  await once(holder, 'close')
  await assertAddressFree(address)
})

test('asking leaves the port free', async () => {
  const port = await findFreePort()
  expect(port).toBeGreaterThan(0)
  await assertAddressFree({ type: 'tcp', host: '127.0.0.1', port })
})

test('a Unix socket is the server’s own business', async () => {
  await assertAddressFree({ type: 'unix', path: '/nowhere/app.sock' })
})
