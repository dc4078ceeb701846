import { definePlugin } from '@havn/plugin-api'
import { z } from 'zod'
import { rules } from './rules/index.ts'

/** Rules over what shows only between two sources: settings and proxy, probe and settings, image and manifests. */
export default definePlugin({
  id: 'checks.deployment',
  kind: 'checks',
  apiVersion: 1,
  config: z.strictObject({}),
  setup: () => ({ rules }),
})
