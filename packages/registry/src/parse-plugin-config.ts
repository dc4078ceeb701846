import type { StandardSchemaV1 } from '@standard-schema/spec'
import { nearestName } from '@havn/model'
import { errors } from './errors.ts'

type JsonSchema = { properties?: Record<string, JsonSchema>; items?: JsonSchema }

export interface ParsePluginConfigOptions {
  id: string
  schema: StandardSchemaV1
  /** As the user wrote it; absent is an empty object. */
  config: unknown
  /** JSON Schema from the package's metadata, for schema libraries that can't give their own. */
  configSchema?: object
}

/**
 * Parses a plugin's configuration with the plugin's own Standard Schema.
 *
 * @throws HAVN_ERR_PLUGIN_CONFIG with every problem: its path, and the nearest right name of a mistyped key.
 */
export async function parsePluginConfig(options: ParsePluginConfigOptions): Promise<unknown> {
  const { id, schema, config = {}, configSchema } = options
  const result = await schema['~standard'].validate(config)
  if (!result.issues) return result.value
  const shape = jsonSchemaOf(schema) ?? (configSchema as JsonSchema | undefined)
  const problems = result.issues.flatMap((issue) => describeIssue(issue, shape))
  throw errors.HAVN_ERR_PLUGIN_CONFIG({ id, problems: [...new Set(problems)] })
}

function describeIssue(issue: StandardSchemaV1.Issue, shape: JsonSchema | undefined): string[] {
  const path = (issue.path ?? []).map((segment) => (typeof segment === 'object' ? segment.key : segment))
  const unknownKeys = 'keys' in issue && Array.isArray(issue.keys) ? (issue.keys as string[]) : []
  if (unknownKeys.length === 0) return [`${path.join('.') || 'config'}: ${issue.message}`]
  const known = Object.keys(shapeAt(shape, path)?.properties ?? {})
  return unknownKeys.map((key) => {
    const nearest = nearestName(key, known)
    const help = nearest !== null ? ` Did you mean ${nearest}?` : knownKeys(known)
    return `${[...path, key].join('.')}: no such key.${help}`
  })
}

function knownKeys(known: readonly string[]): string {
  return known.length > 0 ? ` It has: ${known.join(', ')}.` : ' It takes no configuration.'
}

function shapeAt(shape: JsonSchema | undefined, path: readonly PropertyKey[]): JsonSchema | undefined {
  return path.reduce<JsonSchema | undefined>(
    (at, key) => (typeof key === 'number' ? at?.items : at?.properties?.[String(key)]),
    shape,
  )
}

/** Standard JSON Schema, where the schema library has it; a schema that can't be written as JSON has none. */
function jsonSchemaOf(schema: StandardSchemaV1): JsonSchema | undefined {
  const standard = schema['~standard'] as { jsonSchema?: { input(options: { target: string }): JsonSchema } }
  try {
    return standard.jsonSchema?.input({ target: 'draft-2020-12' })
  } catch {
    return undefined
  }
}
