import type { SourcePlace } from '@havn/plugin-api'

/** A package that the project needs, as one of its files says it. */
export interface Requirement {
  language: 'python' | 'node'
  /** Python's in its normal form (PEP 503): `django-redis`. */
  name: string
  /** The one version that is meant; null for a range, and where none is said. */
  version: string | null
  /** As it is written: `>=20,<23`, `^4.18.0`; empty for none. */
  specifier: string
  /** It holds what is installed: a lock file, or a pinned list. */
  isLocked: boolean
  /** For development and tests alone, by its file or its table. */
  isDevelopment: boolean
  place: SourcePlace
}
