import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { connect } from 'node:net'
import { startEdge } from './edge-server.ts'

/** Asks for a file with descriptors to spare, with none left, and with them back again; prints the statuses. */
const edge = await startEdge({ staticFiles: [{ url: '/', directory: process.argv[2]! }] })
const client = connect(edge.port, '127.0.0.1')

async function status(): Promise<string> {
  client.write('GET /digits.txt HTTP/1.1\r\nHost: a\r\n\r\n')
  const [data] = (await once(client, 'data')) as [Buffer]
  return data.toString().split(' ')[1]!
}

const before = await status()
const taken: number[] = []
try {
  for (;;) taken.push(openSync('/dev/null', 'r'))
} catch {
  // The limit is reached.
}
const without = await status()
taken.forEach((fd) => closeSync(fd))
const after = await status()
client.destroy()
await edge[Symbol.asyncDispose]()
process.stdout.write(`${before} ${without} ${after}\n`)
