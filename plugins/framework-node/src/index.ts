import { definePlugin } from '@havn/plugin-api'
import { z } from 'zod'
import { detectNode } from './detect.ts'
import { inspectNode } from './inspect.ts'

/** Finds Node and TypeScript apps: Fastify, Express, Hono, Koa and plain handlers. */
export default definePlugin({
  id: 'framework.node',
  kind: 'framework',
  apiVersion: 1,
  config: z.strictObject({}),
  setup: () => ({
    looksFor: [
      'the file that package.json names as exports, main or start script, when it handles requests',
      'app, server, index or main (.ts, .js), here or in src, that exports a Fastify, Express, Hono, Koa or plain app',
    ],
    detect: detectNode,
    inspect: inspectNode,
  }),
})
