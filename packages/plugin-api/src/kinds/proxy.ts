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

/** A reverse proxy. `plan` is pure. */
export interface ProxyContract {
  placement: 'embedded' | 'sidecar' | 'shared'
  plan(input: ProxyPlanInput): ProcessPlan
}
