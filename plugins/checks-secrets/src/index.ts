import { definePlugin } from '@havn/plugin-api'
import { z } from 'zod'
import { rules } from './rules/index.ts'

/** Rules over secrets that lie where they must not. */
export default definePlugin({
  id: 'checks.secrets',
  kind: 'checks',
  apiVersion: 1,
  config: z.strictObject({}),
  setup: () => ({ rules }),
})
