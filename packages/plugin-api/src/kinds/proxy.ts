import type { AppFacts, Endpoint } from '@havn/model'
import type { ProcessPlan, ServerSettings, Target } from './server.ts'

export interface ProxyPlanInput {
  app: AppFacts
  target: Target
  /** The public door. */
  endpoints: readonly Endpoint[]
  /** Where the server listens. */
  upstreams: readonly Endpoint[]
  settings: ServerSettings
}

/** Something that the deployment's settings ask for, and this proxy cannot do. */
export interface UnsupportedSetting {
  /** Where it stands, as `platform.config` spells it: `edge.limits.rates.0.perMs`, `limits.minBytesPerS`. */
  path: string
  /** What is not as it was asked for, in a sentence: `nginx compresses by gzip alone`. */
  what: string
  /** What to do about it, in the imperative: `take brotli and zstd out of the list`. */
  instead: string
  /**
   * `refuse`: doing without would weaken security, or answer requests otherwise than was asked for; the deployment
   * does not begin. `warn`: less fast, less exact or less comfortable; it goes on, and people are told.
   */
  consequence: 'refuse' | 'warn'
}

/** What a proxy runs, and what it leaves undone: nothing is dropped unsaid. */
export interface ProxyPlan extends ProcessPlan {
  unsupported: UnsupportedSetting[]
}

/** A program that the target must have, by its name on the PATH. */
export interface RequiredProgram {
  name: string
  /** How people get it: `apt install nginx`. */
  install: string
}

/** A reverse proxy. `plan` is pure. */
export interface ProxyContract {
  /**
   * `embedded`: servers with the placement `public` have it in them, and it is a process only in front of others.
   * `sidecar`: a process beside each replica of the app. `shared`: one process for all replicas.
   */
  placement: 'embedded' | 'sidecar' | 'shared'
  /** Programs that are not Havn's own; looked for before anything is installed or started. */
  programs?: readonly RequiredProgram[]
  plan(input: ProxyPlanInput): ProxyPlan
}
