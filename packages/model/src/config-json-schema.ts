import { platformConfigSchema } from './config.ts'
import { z } from 'zod'

/** The config as JSON Schema (2020-12), for editors: the shipped schema/platform.config.schema.json. */
export function configJsonSchema(): object {
  const schema = z.toJSONSchema(platformConfigSchema, { io: 'input', reused: 'inline' })
  return { ...schema, title: 'platform.config' }
}
