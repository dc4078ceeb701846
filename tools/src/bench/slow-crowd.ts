import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Crowd } from './comparison.ts'

/** A client sends or takes a little this often. */
const stepMs = 1_000
const batch = 100

/**
 * Slow clients in three equal parts: those that send a header a byte a second, those that send a body so, and those that
 * ask for a file and take none of it. One that is disconnected comes again, as an attacker's would.
 */
export function slowCrowd(count: number, input: { bodyPath: string; filePath: string }): Crowd {
  return {
    async start(origin) {
      const { hostname, port } = new URL(origin)
      const sockets = new Set<Socket>()
      let isOver = false

      function join(kind: number): void {
        if (isOver) return
        const socket = connect({ host: hostname, port: Number(port) })
        sockets.add(socket)
        const timer = setInterval(() => socket.write(kind === 0 ? 'a' : 'b'), stepMs)
        if (kind === 2) clearInterval(timer)
        socket.on('connect', () => socket.write(opening(kind)))
        socket.on('error', () => {})
        socket.on('close', () => {
          clearInterval(timer)
          sockets.delete(socket)
          setTimeout(() => join(kind), stepMs).unref()
        })
        if (kind === 2) socket.pause()
        else socket.resume()
      }

      function opening(kind: number): string {
        if (kind === 0) return 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: '
        if (kind === 1)
          return `POST ${input.bodyPath} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000\r\n\r\n`
        return `GET ${input.filePath} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`
      }

      for (let at = 0; at < count; at++) {
        join(at % 3)
        if (at % batch === batch - 1) await sleep(50)
      }
      await sleep(stepMs)
      return {
        async [Symbol.asyncDispose]() {
          isOver = true
          for (const socket of sockets) socket.destroy()
          await sleep(500)
        },
      }
    },
  }
}
