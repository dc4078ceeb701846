import { errors } from '../errors.ts'

const URN = 'urn:ietf:params:acme:error:'

/** A problem document of an authority (RFC 8555 §6.7), as far as it is read. */
export interface Problem {
  type?: string
  detail?: string
}

/** What an authority refused. */
export class AcmeProblem extends Error {
  readonly problem: Problem
  /** How long the authority wants to be left alone, by its Retry-After; null where it does not say. */
  readonly retryAfterMs: number | null

  constructor(problem: Problem, retryAfterMs: number | null) {
    super(problem.detail ?? problem.type ?? 'the authority gave no reason')
    this.problem = problem
    this.retryAfterMs = retryAfterMs
  }
}

/** Where an order stood: the same problem means other things about an account than about a name. */
export type Step = 'directory' | 'account' | 'order'

/** Says what went wrong in words that tell what to change. Errors with a code of ours are left as they are. */
export function explain(cause: unknown, step: Step, domains: readonly string[], directoryUrl: string): Error {
  if (cause instanceof Error && 'code' in cause && String(cause.code).startsWith('HAVN_ERR_')) return cause
  const reason = cause instanceof Error ? cause.message : String(cause)
  const seen = { domains, reason, directoryUrl }
  const type = cause instanceof AcmeProblem ? (cause.problem.type ?? '').replace(URN, '') : null
  if (type === null) return errors.HAVN_ERR_ACME_UNREACHABLE(seen, { cause })
  if (type === 'rateLimited') return errors.HAVN_ERR_ACME_RATE_LIMITED(seen, { cause })
  if (type === 'serverInternal') return errors.HAVN_ERR_ACME_UNREACHABLE(seen, { cause })
  if (step === 'account') return errors.HAVN_ERR_ACME_ACCOUNT(seen, { cause })
  switch (type) {
    case 'dns':
      return errors.HAVN_ERR_ACME_DNS(seen, { cause })
    case 'connection':
    case 'tls':
      return errors.HAVN_ERR_ACME_CONNECTION(seen, { cause })
    case 'unauthorized':
    case 'incorrectResponse':
      return errors.HAVN_ERR_ACME_ANSWER(seen, { cause })
    case 'accountDoesNotExist':
    case 'externalAccountRequired':
    case 'userActionRequired':
      return errors.HAVN_ERR_ACME_ACCOUNT(seen, { cause })
    default:
      return errors.HAVN_ERR_ACME_REFUSED(seen, { cause })
  }
}
