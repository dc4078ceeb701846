import { once } from 'node:events'
import { createServer } from 'node:net'

/** A TCP port of loopback that nothing listens on now. */
export async function freePort(): Promise<number> {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const { port } = taken.address() as { port: number }
  taken.close()
  return port
}
