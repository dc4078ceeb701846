// Bare node:http in two worker threads that share a port.
import { createServer } from 'node:http'
import { Worker, isMainThread } from 'node:worker_threads'
import hello from './hello.mjs'

if (isMainThread) {
  for (let i = 0; i < 2; i++) new Worker(new URL(import.meta.url))
} else {
  createServer({ keepAliveTimeout: 65_000 }, hello).listen({
    port: Number(process.env.PORT),
    host: '127.0.0.1',
    reusePort: true,
  })
}
