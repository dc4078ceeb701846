import { expect, it } from 'vitest'
import { readModule } from './read-module.ts'

it.each<[string, string, object]>([
  [
    'Fastify',
    "import Fastify from 'fastify'\nconst app = Fastify()\napp.get('/healthz', () => 1)\nexport default app\n",
    {
      framework: { name: 'Fastify' },
      interface: 'node',
      exportLine: 4,
      listenLine: null,
      healthPath: '/healthz',
    },
  ],
  [
    'Express as CommonJS',
    "const express = require('express')\nconst app = express()\nmodule.exports = app\n",
    { framework: { name: 'Express' }, interface: 'node', exportLine: 3 },
  ],
  [
    'Express that listens',
    "import express from 'express'\nconst app = express()\n\napp.listen(3000)\n",
    { exportLine: null, listenLine: 4 },
  ],
  [
    'Express that listens when it is the program',
    "import express from 'express'\nconst app = express()\nif (import.meta.main) app.listen(3000)\nexport default app\n",
    { exportLine: 4, listenLine: null },
  ],
  [
    'Hono',
    "import { Hono } from 'hono'\nexport default new Hono()\n",
    { framework: { name: 'Hono' }, interface: 'fetch' },
  ],
  [
    'Koa',
    "import Koa from 'koa'\nexport default new Koa()\n",
    { framework: { name: 'Koa' }, interface: 'node' },
  ],
  [
    'a Fetch handler',
    "export default () => new Response('hi')\n",
    { isServer: true, interface: 'fetch', framework: null },
  ],
  [
    'an object with fetch',
    'export default { fetch: (request) => Response.json({}) }\n',
    { interface: 'fetch' },
  ],
  ['a plain handler', "export default (req, res) => res.end('hi')\n", { isServer: true, interface: 'node' }],
  [
    'a typed handler',
    "import type { IncomingMessage } from 'node:http'\nexport default function app(request: IncomingMessage, response) {}\n",
    { isServer: true, interface: 'node', exportLine: 2 },
  ],
  [
    'a marked WSGI app',
    "import { defineWsgi } from '@havn/protocol'\nexport default defineWsgi((environ, startResponse) => [])\n",
    { interface: 'wsgi' },
  ],
  [
    'an export under another name',
    'const a = (req, res) => {}\nexport { a as default }\n',
    { exportLine: 2 },
  ],
  [
    'a comment',
    "// import express from 'express'\n/* app.listen(1) */\nexport default {}\n",
    { isServer: false, listenLine: null },
  ],
  [
    'a URL, which is no comment',
    "const a = 'http://x'; import('fastify')\n",
    { framework: { name: 'Fastify' } },
  ],
  ['a library', 'export default function add(a, b) { return a + b }\n', { isServer: false }],
])('%s', (_, text, expected) => {
  expect(readModule(text)).toMatchObject(expected)
})
