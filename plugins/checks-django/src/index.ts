import { definePlugin } from '@havn/plugin-api'
import { z } from 'zod'
import { rules } from './rules/index.ts'

/** Rules over Django projects: their settings as they are in the deployment, and what Django itself finds. */
export default definePlugin({
  id: 'checks.django',
  kind: 'checks',
  apiVersion: 1,
  config: z.strictObject({}),
  setup: () => ({ rules }),
})
