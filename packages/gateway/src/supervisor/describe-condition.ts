import type { PartStatus, ProcessCondition } from '@havn/model'
import type { GatewayStatus } from './start-supervisor.ts'

/** A gateway as those see it who keep any server running: its processes, and how its last reload went. */
export function describeCondition(status: GatewayStatus): ProcessCondition {
  const { pid, state, restarts, failures, lastFailure, lastReload, process } = status
  const own: PartStatus = {
    name: 'gateway process',
    pid,
    state,
    restarts,
    ...(failures > 0 && { failures, ...(lastFailure && { lastFailure }) }),
  }
  const workers = (process?.workers ?? []).map((worker): PartStatus => ({
    name: `worker ${worker.worker}`,
    pid: worker.pid,
    state: worker.state,
    restarts: worker.restarts,
    ...(worker.failures && { failures: worker.failures }),
    ...(worker.lastFailure && { lastFailure: worker.lastFailure }),
  }))
  return { parts: [own, ...workers], lastReload }
}
