import type { UpstreamServerStatus } from '@havn/plugin-api'
import type { GroupMember } from './group-member.ts'
import type { UpstreamSet } from './upstream-set.ts'

/**
 * How the servers of a configuration do, and those of earlier ones that have requests yet.
 *
 * @param retiring sets that `current` took the place of, and that have not answered all they had.
 */
export function describeServers(
  current: UpstreamSet,
  retiring: Iterable<UpstreamSet>,
): UpstreamServerStatus[] {
  const seen = new Set<unknown>()
  const servers: UpstreamServerStatus[] = []
  const addAll = (set: UpstreamSet, isDraining: boolean) => {
    for (const { name, members } of set.groups())
      for (const member of members) {
        if (seen.has(member.server)) continue
        seen.add(member.server)
        servers.push(describe(name, member, isDraining))
      }
  }
  addAll(current, false)
  for (const set of retiring) addAll(set, true)
  return servers
}

function describe(upstream: string, member: GroupMember, isDraining: boolean): UpstreamServerStatus {
  const { name: server, inFlight, tunnels, failures } = member.server
  const state = isDraining ? 'draining' : stateOf(member)
  return { upstream, server, state, inFlight, tunnels, failures }
}

function stateOf({ server, isStarting }: GroupMember): UpstreamServerStatus['state'] {
  if (!server.isHealthy) return 'unhealthy'
  if (server.circuit.isOpen) return 'left-out'
  return isStarting ? 'slow-start' : 'ready'
}
