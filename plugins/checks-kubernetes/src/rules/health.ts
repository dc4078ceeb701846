import { containerRule, when } from '../container-rule.ts'
import type { WorkloadContainer } from '../walk.ts'

/** It is to run until somebody ends it. */
function isServing({ isStaying, isInit, object, pods }: WorkloadContainer): boolean {
  const restarts = pods.spec.at('restartPolicy')?.text ?? 'Always'
  return !isInit && (isStaying || (object.builtin === 'Pod' && restarts === 'Always'))
}

export const readinessMissing = containerRule({
  id: 'kubernetes.readiness-missing',
  title: 'Requests reach a container before it can answer',
  severity: 'warn',
  confidence: 'likely',
  hint: 'Add a readinessProbe that asks the app: httpGet: { path: /up, port: 8000 }.',
  references: ['CKV_K8S_9', 'no-readiness-probe'],
  what: 'Finds containers that have ports and no `readinessProbe`; a note where they have no ports, and for single pods. Jobs are passed over.',
  why: 'Each rollout sends requests to pods that still start, and goes on although the new version answers none.',
  bad: { container: ['image: shop:1.4', 'ports: [{ containerPort: 8000 }]'] },
  good: {
    container: [
      'image: shop:1.4',
      'ports: [{ containerPort: 8000 }]',
      'readinessProbe: { httpGet: { path: /up, port: 8000 } }',
    ],
  },
  check(each) {
    const { container, isStaying } = each
    if (!isServing(each) || container.probes.some(({ type }) => type === 'readiness')) return []
    const severity = isStaying && container.ports.length > 0 ? undefined : ('info' as const)
    return when(true, `${container.name} has no readiness probe.`, undefined, severity)
  },
})

export const livenessMissing = containerRule({
  id: 'kubernetes.liveness-missing',
  title: 'A container that hangs is not started again',
  severity: 'info',
  confidence: 'likely',
  hint: 'Add a livenessProbe that asks the process alone, not its database.',
  references: ['CKV_K8S_8', 'no-liveness-probe'],
  what: 'Finds containers without a `livenessProbe`. Jobs are passed over.',
  why: 'A process in a deadlock stays there, with its share of the requests, until somebody notices.',
  bad: { container: ['image: shop:1.4'] },
  good: { container: ['image: shop:1.4', 'livenessProbe: { httpGet: { path: /alive, port: 8000 } }'] },
  check: (each) =>
    when(
      isServing(each) && !each.container.probes.some(({ type }) => type === 'liveness'),
      `${each.container.name} has no liveness probe.`,
    ),
})

export const startupMissing = containerRule({
  id: 'kubernetes.startup-missing',
  title: 'A container that starts slowly is ended before it is up',
  severity: 'info',
  confidence: 'likely',
  hint: 'Add a startupProbe with the same request: the liveness probe waits for it.',
  references: ['https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/'],
  what: 'Finds liveness probes that end a container less than 20 seconds after its start, without a `startupProbe`.',
  why: 'On a busy node the app needs longer, is ended, and starts again without end.',
  bad: {
    container: ['image: shop:1.4', 'livenessProbe: { periodSeconds: 5, httpGet: { path: /up, port: 8000 } }'],
  },
  good: {
    container: [
      'image: shop:1.4',
      'livenessProbe: { periodSeconds: 5, httpGet: { path: /up, port: 8000 } }',
      'startupProbe: { failureThreshold: 30, httpGet: { path: /up, port: 8000 } }',
    ],
  },
  check({ container }) {
    const liveness = container.probes.find(({ type }) => type === 'liveness')
    if (liveness === undefined || container.probes.some(({ type }) => type === 'startup')) return []
    const of = (key: string, otherwise: number) => liveness.node.at(key)?.number ?? otherwise
    const seconds = of('initialDelaySeconds', 0) + of('periodSeconds', 10) * of('failureThreshold', 3)
    return when(seconds < 20, `${container.name} has ${seconds} seconds to start.`, liveness.place)
  },
})

export const probePort = containerRule({
  id: 'kubernetes.probe-port-unknown',
  title: 'A probe asks a port that the container does not have',
  severity: 'error',
  confidence: 'likely',
  hint: 'Name a port of the container, or add it to its ports.',
  references: ['readiness-port', 'liveness-port', 'startup-port'],
  what: 'Finds probes whose port is not among those of the container: an error where it is a name, a note where it is a number and the container lists others, since it need not list all.',
  why: 'A name that is not there makes the probe fail: pods never get ready, or are started again without end.',
  bad: {
    container: [
      'image: shop:1.4',
      'ports: [{ name: http, containerPort: 8000 }]',
      'readinessProbe: { httpGet: { path: /up, port: web } }',
    ],
  },
  good: {
    container: [
      'image: shop:1.4',
      'ports: [{ name: http, containerPort: 8000 }]',
      'readinessProbe: { httpGet: { path: /up, port: http } }',
    ],
  },
  check({ container }) {
    return container.probes.flatMap(({ port, type }) => {
      if (port === null || port.text.includes('$')) return []
      const isNumber = /^\d+$/.test(port.text)
      const isThere = container.ports.some(({ name, containerPort }) =>
        isNumber ? containerPort === Number(port.text) : name === port.text,
      )
      if (isThere || (isNumber && container.ports.length === 0)) return []
      const severity = isNumber ? ('info' as const) : undefined
      return when(
        true,
        `The ${type} probe of ${container.name} asks port ${port.text}.`,
        port.place,
        severity,
      )
    })
  },
})
