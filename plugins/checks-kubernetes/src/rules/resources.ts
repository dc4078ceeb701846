import type { Severity } from '@havn/plugin-api'
import { containerRule, when } from '../container-rule.ts'

function resourceRule(told: {
  id: string
  title: string
  severity: Severity
  kind: 'requests' | 'limits'
  resource: 'cpu' | 'memory'
  hint: string
  references: readonly string[]
  why: string
}) {
  const { kind, resource } = told
  return containerRule({
    ...told,
    what: `Finds containers without \`resources.${kind}.${resource}\`; a note for jobs and single pods.`,
    bad: { container: ['image: shop:1.4'] },
    good: {
      container: [
        'image: shop:1.4',
        `resources: { ${kind}: { ${resource}: ${resource === 'cpu' ? '250m' : '256Mi'} } }`,
      ],
    },
    check({ container, isStaying, isInit }) {
      if (isInit || container.node.at('resources', kind, resource) !== null) return []
      // A request that is not set is taken from the limit.
      if (kind === 'requests' && container.node.at('resources', 'limits', resource) !== null) return []
      const name = kind === 'requests' ? 'request' : 'limit'
      const severity = isStaying ? undefined : ('info' as const)
      return when(true, `${container.name} has no ${name} of ${resource}.`, undefined, severity)
    },
  })
}

export const cpuRequest = resourceRule({
  id: 'kubernetes.cpu-request',
  title: 'The scheduler does not know how busy a container is',
  severity: 'info',
  kind: 'requests',
  resource: 'cpu',
  hint: 'Write resources: { requests: { cpu: 250m } }, with what it needs on a usual day.',
  references: ['CKV_K8S_10', 'KSV-0015', 'unset-cpu-requirements'],
  why: 'Its pods end up together on one node, where each gets the least share; and no autoscaler can count them.',
})

export const memoryRequest = resourceRule({
  id: 'kubernetes.memory-request',
  title: 'The scheduler does not know how much memory a container needs',
  severity: 'warn',
  kind: 'requests',
  resource: 'memory',
  hint: 'Write resources: { requests: { memory: 256Mi } }, with what it needs on a usual day.',
  references: ['CKV_K8S_12', 'KSV-0016', 'unset-memory-requirements'],
  why: 'Nodes are filled beyond their memory, and such a pod is the first that is ended.',
})

export const cpuLimit = resourceRule({
  id: 'kubernetes.cpu-limit',
  title: 'A container may take all processors of its node',
  severity: 'info',
  kind: 'limits',
  resource: 'cpu',
  hint: 'Set a limit where others must be sheltered from it; many do without, and set requests for all.',
  references: ['CKV_K8S_11', 'KSV-0011', 'unset-cpu-requirements'],
  why: 'What others did not request, it may take; servers count the processors of the node, not their share.',
})

export const memoryLimit = resourceRule({
  id: 'kubernetes.memory-limit',
  title: 'A container may take all memory of its node',
  severity: 'warn',
  kind: 'limits',
  resource: 'memory',
  hint: 'Write resources: { limits: { memory: 512Mi } }, with what it needs at its busiest.',
  references: ['CKV_K8S_13', 'KSV-0018', 'unset-memory-requirements'],
  why: 'A leak in one pod makes the node end others.',
})
