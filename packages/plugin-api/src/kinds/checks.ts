import type { AppFacts } from '@havn/model'

/** What a check reports: a value, never an exception. */
export interface Finding {
  /** Stable id of the rule, such as `django.debug-on`. */
  rule: string
  severity: 'info' | 'warn' | 'error'
  message: string
  /** What to change. */
  hint: string
  file?: string
  line?: number
  column?: number
}

/** A rule over facts. */
export interface CheckRule {
  id: string
  title: string
  check(facts: { app: AppFacts }, signal: AbortSignal): readonly Finding[] | Promise<readonly Finding[]>
}

/** A pack of rules. */
export interface ChecksContract {
  rules: readonly CheckRule[]
}
