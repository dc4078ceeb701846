import { definePlugin } from '@havn/plugin-api'
import { z } from 'zod'
import { rules } from './rules/index.ts'

/** Rules over Kubernetes manifests. */
export default definePlugin({
  id: 'checks.kubernetes',
  kind: 'checks',
  apiVersion: 1,
  config: z.strictObject({}),
  setup: () => ({ rules }),
})
