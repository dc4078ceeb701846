import type { IncomingMessage, ServerResponse } from 'node:http'
import { threadId } from 'node:worker_threads'

/** Fails in each way that an app can, when it is asked to. */
export default function listener(request: IncomingMessage, response: ServerResponse): void {
  const { pathname, searchParams } = new URL(request.url!, 'http://app')
  const ms = Number(searchParams.get('ms') ?? 0)
  switch (pathname) {
    case '/throw':
      setTimeout(() => throwInTimer(), 1)
      return
    case '/reject':
      void Promise.reject(new Error('nobody awaits this'))
      return
    case '/exit':
      return leave()
    case '/abort':
      return process.abort()
    case '/segfault':
      process.kill(process.pid, 'SIGSEGV')
      return
    case '/block':
      blockLoop(ms)
      break
    case '/memory':
      return growForever()
    case '/slow':
      setTimeout(() => response.end('slow'), ms)
      return
    case '/late':
      setTimeout(() => {
        response.setHeader('x-late', 'yes')
        response.end('late')
      }, ms)
      return
    case '/chdir':
      process.chdir('/')
      break
    case '/cwd':
      response.end(process.cwd())
      return
  }
  response.end(`${process.pid} ${threadId}`)
}

function throwInTimer(): never {
  throw new Error('nobody catches this')
}

function leave(): never {
  process.exit(7)
}

function blockLoop(ms: number): void {
  const until = performance.now() + ms
  while (performance.now() < until);
}

function growForever(): void {
  const kept: number[][] = []
  for (;;) kept.push(new Array<number>(10_000).fill(kept.length))
}
