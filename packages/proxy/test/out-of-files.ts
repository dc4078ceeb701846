import { once } from 'node:events'
import { closeSync, openSync, readdirSync, readlinkSync } from 'node:fs'
import { connect } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { startEdge } from './edge-server.ts'

/** Asks for a file with descriptors to spare, with none left, and with them back again; prints the statuses. */
const edge = await startEdge({
  staticFiles: [{ url: '/', directory: process.argv[2]! }],
  fileCache: { maxBytes: 0 },
})
const client = connect(edge.port, '127.0.0.1')

async function status(): Promise<string> {
  client.write('GET /digits.txt HTTP/1.1\r\nHost: a\r\n\r\n')
  const [data] = (await once(client, 'data')) as [Buffer]
  return data.toString().split(' ')[1]!
}

/** The file of an answer is closed after the answer is out. */
function isOpen(): boolean {
  return readdirSync('/proc/self/fd').some((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).endsWith('digits.txt')
    } catch {
      return false
    }
  })
}

const before = await status()
while (isOpen()) await nextTurn()
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
