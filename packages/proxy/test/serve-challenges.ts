import { readFileSync, readdirSync } from 'node:fs'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'

/**
 * Answers challenges on the port that pebble takes for 80, from the storages in a folder.
 *
 * @param isHeld whose challenges are left without an answer.
 */
export async function serveChallenges(
  port: number,
  root: string,
  isHeld: (host: string) => boolean = () => false,
): Promise<Server> {
  const server = createServer((request, response) => {
    if (isHeld(request.headers.host?.replace(/:\d+$/, '') ?? '')) return
    const token = /^\/\.well-known\/acme-challenge\/([\w-]+)$/.exec(request.url ?? '')?.[1]
    const answer = token === undefined ? null : findAnswer(root, token)
    if (answer === null) response.writeHead(404).end()
    else response.end(answer)
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return server
}

function findAnswer(root: string, token: string): Buffer | null {
  for (const storage of readdirSync(root).filter((name) => name.startsWith('storage-'))) {
    try {
      return readFileSync(join(root, storage, 'challenges', token))
    } catch {
      // Another's.
    }
  }
  return null
}
