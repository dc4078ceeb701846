import { nearestName, platformConfigSchema, type PlatformConfig } from '@havn/model'
import { z } from 'zod'
import { errors } from '../errors.ts'

/**
 * Validates a config; every problem is named with its path, and unknown keys with the nearest right name.
 *
 * @param path name of the file, for the message.
 * @throws HAVN_ERR_CONFIG_INVALID
 */
export function parseConfig(raw: unknown, path: string): PlatformConfig {
  const result = platformConfigSchema.safeParse(raw)
  if (result.success) return result.data
  const problems = result.error.issues.flatMap((issue) => describeIssue(issue, raw))
  throw errors.HAVN_ERR_CONFIG_INVALID({ path, problems })
}

function describeIssue(issue: z.core.$ZodIssue, raw: unknown): string[] {
  const at = formatPath(issue.path)
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(issue.path)
    return issue.keys.map((key) => {
      const name = formatPath([...issue.path, key])
      const nearest = nearestName(key, known)
      return `unknown key "${name}"; ${nearest ? `did you mean "${nearest}"?` : `the keys here are ${known.join(', ')}.`}`
    })
  }
  const seen = JSON.stringify(valueAt(raw, issue.path))
  const wanted =
    issue.code === 'invalid_union'
      ? unionMessage(issue)
      : lowerFirst(issue.message.replace('Invalid input: ', ''))
  return [`${at || 'the config'}: ${wanted}${seen === undefined ? '' : `, but it is ${seen}`}`]
}

function unionMessage(issue: z.core.$ZodIssueInvalidUnion): string {
  const wanted = issue.errors.flat().map((inner) => lowerFirst(inner.message.replace('Invalid input: ', '')))
  return [...new Set(wanted)].join(', or ').replace(/, received [a-z]+/g, '')
}

/** Keys that the schema knows at a path, for suggestions. */
function knownKeys(path: readonly PropertyKey[]): string[] {
  let schema: unknown = platformConfigSchema
  for (const key of path) schema = unwrap(childSchema(unwrap(schema), key))
  const found = unwrap(schema)
  return found instanceof z.ZodObject ? Object.keys(found.shape).filter((key) => key !== '$schema') : []
}

function childSchema(schema: unknown, key: PropertyKey): unknown {
  if (schema instanceof z.ZodObject) return schema.shape[key as string]
  if (schema instanceof z.ZodArray) return schema.element
  return undefined
}

function unwrap(schema: unknown): unknown {
  return schema instanceof z.ZodOptional ? unwrap(schema.unwrap()) : schema
}

function valueAt(raw: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown> | undefined)?.[key], raw)
}

function formatPath(path: readonly PropertyKey[]): string {
  return path
    .map((part, i) => (typeof part === 'number' ? `[${part}]` : `${i ? '.' : ''}${String(part)}`))
    .join('')
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1)
}
