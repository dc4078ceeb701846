// Bare node:http in two processes of node:cluster.
import cluster from 'node:cluster'
import { createServer } from 'node:http'
import hello from './hello.mjs'

if (cluster.isPrimary) {
  for (let i = 0; i < 2; i++) cluster.fork()
} else {
  createServer({ keepAliveTimeout: 65_000 }, hello).listen(Number(process.env.PORT), '127.0.0.1')
}
