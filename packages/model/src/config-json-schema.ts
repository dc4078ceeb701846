import { platformConfigSchema } from './config.ts'
import { z } from 'zod'

/** The config as JSON Schema (2020-12), for editors: the shipped schema/platform.config.schema.json. */
export function configJsonSchema(): object {
  const schema = z.toJSONSchema(platformConfigSchema, {
    io: 'input',
    reused: 'inline',
    // Functions, which only a config in TypeScript can hold: no editor of JSON is to offer them.
    unrepresentable: 'any',
    override({ zodSchema, jsonSchema }) {
      if (zodSchema._zod.def.type === 'custom') jsonSchema.not = {}
    },
  })
  return { ...schema, title: 'platform.config' }
}
