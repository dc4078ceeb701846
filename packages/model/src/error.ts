/** What one error code means: a line an error in each package's `errors.ts`. */
export interface ErrorDefinition<Seen = never> {
  /** `user`: something they can change. `system`: our own or the machine's fault. */
  kind: 'user' | 'system'
  /** One sentence that says what was seen. */
  message: (seen: Seen) => string
  /** What to change, in the imperative. */
  hint: string | ((seen: Seen) => string)
  /** HTTP status, where the error ends a request. */
  status?: number
  /** Process exit code: 2 is wrong use of the command line, 3 what a check found; all else ends with 1. */
  exit?: 1 | 2 | 3
}

/** A {@link HavnError} as JSON: the only form that crosses threads, processes and files. */
export interface ErrorJson {
  code: string
  message: string
  hint: string
  kind: 'user' | 'system'
  status?: number
  exit: 1 | 2 | 3
  detail?: string
}

/**
 * An error that a user may read: it says what was seen and what to change.
 * Compare `code`, never `instanceof`: errors cross threads and processes as JSON.
 */
export class HavnError extends Error {
  readonly code: string
  readonly hint: string
  readonly kind: 'user' | 'system'
  readonly status: number | undefined
  readonly exit: 1 | 2 | 3
  /** Foreign words, whole and unchanged: a Python traceback, pip's output. */
  readonly detail: string | undefined

  constructor(json: Omit<ErrorJson, 'exit'> & { exit?: 1 | 2 | 3 }, options?: ErrorOptions) {
    super(json.message, options)
    this.name = 'HavnError'
    this.code = json.code
    this.hint = json.hint
    this.kind = json.kind
    this.status = json.status
    this.exit = json.exit ?? 1
    this.detail = json.detail
  }

  toJSON(): ErrorJson {
    const { code, message, hint, kind, status, exit, detail } = this
    return { code, message, hint, kind, exit, ...(status && { status }), ...(detail && { detail }) }
  }
}

/** Extra parts of one thrown error: its cause, and foreign words to show beneath it. */
export interface ErrorExtras {
  cause?: unknown
  detail?: string
}

type ErrorFactories<Definitions> = {
  readonly [Code in keyof Definitions]: Definitions[Code] extends ErrorDefinition<infer Seen>
    ? (seen: Seen, extras?: ErrorExtras) => HavnError
    : never
}

/**
 * Declares the errors of a package; each code becomes a function that makes the error.
 *
 * @example
 * export const errors = defineErrors({
 *   HAVN_ERR_PORT_TAKEN: {
 *     kind: 'user',
 *     message: (seen: { port: number }) => `Port ${seen.port} is in use.`,
 *     hint: 'Stop the program that holds it, or choose another with --bind.',
 *   },
 * })
 * throw errors.HAVN_ERR_PORT_TAKEN({ port: 8000 })
 */
export function defineErrors<Definitions extends Record<`HAVN_ERR_${string}`, ErrorDefinition<never>>>(
  definitions: Definitions,
): ErrorFactories<Definitions> {
  const factories: Record<string, (seen: never, extras?: ErrorExtras) => HavnError> = {}
  for (const [code, definition] of Object.entries(definitions) as [string, ErrorDefinition<never>][]) {
    factories[code] = (seen, extras) => {
      const { kind, status, exit } = definition
      const hint = typeof definition.hint === 'string' ? definition.hint : definition.hint(seen)
      const json = {
        code,
        message: definition.message(seen),
        hint,
        kind,
        status,
        exit,
        detail: extras?.detail,
      }
      return new HavnError(json, extras?.cause === undefined ? undefined : { cause: extras.cause })
    }
  }
  return factories as ErrorFactories<Definitions>
}

/** Turns anything thrown into JSON that can cross a thread or process. */
export function toErrorJson(error: unknown): ErrorJson {
  if (error instanceof HavnError) return error.toJSON()
  const seen = error instanceof Error ? error : new Error(String(error))
  const code = 'code' in seen && typeof seen.code === 'string' ? seen.code : 'HAVN_ERR_INTERNAL'
  const hint = 'This is a fault in Havn or in a plugin: please report it with the lines above.'
  return { code, message: seen.message, hint, kind: 'system', exit: 1, detail: seen.stack }
}

/** The inverse of {@link toErrorJson}. */
export function fromErrorJson(json: ErrorJson): HavnError {
  return new HavnError(json)
}

/** True for an error of this code, from whichever thread or process it came. */
export function isErrorCode(error: unknown, code: string): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code
}
