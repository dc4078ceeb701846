import { redact } from './redact.ts'

/** How many causes are followed. */
const MAX_CAUSES = 5

/**
 * An error as it stands in a log: message, code, hint and detail; the stack except where the error is the user's
 * to fix, which a stack of ours does not help.
 */
export function errorFields(error: Error, depth = 0): Record<string, unknown> {
  const { name, message, stack, cause } = error
  const own = { ...error } as Record<string, unknown>
  delete own['status']
  delete own['exit']
  const fields: Record<string, unknown> = { type: name, message, ...redact(primitives(own)) }
  delete fields['name']
  if (own['kind'] !== 'user' && stack !== undefined) fields['stack'] = stack
  if (cause instanceof Error && depth < MAX_CAUSES) fields['cause'] = errorFields(cause, depth + 1)
  else if (cause !== undefined) fields['cause'] = { message: String(cause) }
  return fields
}

function primitives(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value)),
  )
}
