import { definePlugin } from '@havn/plugin-api'
import { z } from 'zod'
import { rules } from './rules/index.ts'

/** Rules over the live site, over HTTP and TLS. */
export default definePlugin({
  id: 'checks.http',
  kind: 'checks',
  apiVersion: 1,
  config: z.strictObject({}),
  setup: () => ({ rules }),
})
