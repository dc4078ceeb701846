import { defineRule, manifests } from '@havn/checklist'
import type { KubernetesObject, Manifests } from '@havn/checklist'
import { deployment } from '../examples.ts'
import { isRelabelled, isSameNamespace, objectsOf, selects, textsOf } from '../walk.ts'

const docs = { language: 'yaml' }
const needs = { manifests }
const two = ['replicas: 2']

function replicasOf({ node }: KubernetesObject): number {
  return node.at('spec', 'replicas')?.number ?? 1
}

/** What autoscalers look after: `Deployment/web`. */
function scaledBy({ objects }: Manifests): ReadonlySet<string> {
  const scalers = objects.filter(({ kind }) => kind === 'HorizontalPodAutoscaler' || kind === 'ScaledObject')
  return new Set(
    scalers.map(({ node }) => {
      const target = node.at('spec', 'scaleTargetRef')
      return `${target?.at('kind')?.text ?? 'Deployment'}/${target?.at('name')?.text ?? ''}`
    }),
  )
}

/** Deployments and StatefulSets that are to run more than once. */
function replicated(facts: Manifests): KubernetesObject[] {
  const scaled = scaledBy(facts)
  return [...objectsOf(facts, 'Deployment'), ...objectsOf(facts, 'StatefulSet')].filter(
    (object) => replicasOf(object) > 1 || scaled.has(object.resource),
  )
}

export const oneReplica = defineRule({
  id: 'kubernetes.one-replica',
  title: 'A workload runs once',
  severity: 'info',
  confidence: 'likely',
  hint: 'Write replicas: 2, if the app keeps nothing in its process.',
  references: ['minimum-three-replicas', 'https://kubernetes.io/docs/concepts/workloads/pods/disruptions/'],
  docs: {
    ...docs,
    what: 'Finds Deployments with one replica, or none said, that no autoscaler looks after.',
    why: 'Each drain of a node and each crash is downtime.',
    bad: deployment({}),
    good: deployment({ spec: two }),
  },
  needs,
  check({ facts, report }) {
    const scaled = scaledBy(facts.manifests)
    for (const object of objectsOf(facts.manifests, 'Deployment')) {
      const replicas = object.node.at('spec', 'replicas')
      if (replicasOf(object) === 1 && !scaled.has(object.resource))
        report({
          message: 'It has one replica.',
          place: replicas?.place ?? object.place,
          resource: object.resource,
        })
    }
  },
})

const budget = (spec: string) =>
  `---\napiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: { name: web }\nspec:\n  ${spec}\n  selector: { matchLabels: { app: web } }\n`

export const disruptionBudget = defineRule({
  id: 'kubernetes.disruption-budget-missing',
  title: 'A drain may take all pods at once',
  severity: 'info',
  confidence: 'likely',
  hint: 'Add a PodDisruptionBudget with maxUnavailable: 1 for its labels.',
  references: ['https://kubernetes.io/docs/tasks/run-application/configure-pdb/'],
  docs: {
    ...docs,
    what: 'Finds workloads with several replicas whose pods no PodDisruptionBudget selects.',
    why: 'An upgrade of the nodes evicts the replicas together.',
    bad: deployment({ spec: two }),
    good: deployment({ spec: two }) + budget('maxUnavailable: 1'),
  },
  needs,
  check({ facts, report }) {
    if (isRelabelled(facts.manifests)) return
    const budgets = facts.manifests.objects.filter(({ builtin }) => builtin === 'PodDisruptionBudget')
    for (const object of replicated(facts.manifests)) {
      const isCovered = budgets.some((each) => {
        const selector = each.node.at('spec', 'selector')
        const labels = textsOf(selector?.at('matchLabels') ?? null)
        const isMatch = selects(labels, object.pods!.labels) || (labels.size === 0 && selector !== null)
        return isMatch && isSameNamespace(each, object)
      })
      if (!isCovered)
        report({
          message: 'No PodDisruptionBudget selects its pods.',
          place: object.place,
          resource: object.resource,
        })
    }
  },
})

export const budgetBlocks = defineRule({
  id: 'kubernetes.disruption-budget-blocks',
  title: 'A disruption budget lets no pod go',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Write maxUnavailable: 1.',
  references: ['pdb-max-unavailable', 'pdb-min-available'],
  docs: {
    ...docs,
    what: 'Finds budgets with `maxUnavailable: 0` or `minAvailable: 100%`, and those that want as many pods as there are replicas.',
    why: 'No node can be drained: upgrades of the cluster stop there.',
    bad: deployment({ spec: two }) + budget('minAvailable: 2'),
    good: deployment({ spec: two }) + budget('minAvailable: 1'),
  },
  needs,
  check({ facts, report }) {
    const scaled = scaledBy(facts.manifests)
    const workloads = [
      ...objectsOf(facts.manifests, 'Deployment'),
      ...objectsOf(facts.manifests, 'StatefulSet'),
    ]
    for (const object of objectsOf(facts.manifests, 'PodDisruptionBudget')) {
      const max = object.node.at('spec', 'maxUnavailable')
      const min = object.node.at('spec', 'minAvailable')
      const selector = textsOf(object.node.at('spec', 'selector', 'matchLabels'))
      const isWanted = (each: KubernetesObject) =>
        each.pods !== null && selects(selector, each.pods.labels) && isSameNamespace(each, object)
      const workload = workloads.find(isWanted)
      const replicas = workload === undefined || scaled.has(workload.resource) ? null : replicasOf(workload)
      const isAll =
        min?.text === '100%' || (replicas !== null && min?.number != null && min.number >= replicas)
      if (max !== null && /^0%?$/.test(max.text ?? ''))
        report({ message: `maxUnavailable is ${max.text}.`, place: max.place, resource: object.resource })
      else if (min !== null && isAll)
        report({
          message: `minAvailable is ${min.text}, and so all of them.`,
          place: min.place,
          resource: object.resource,
        })
    }
  },
})

export const spreadMissing = defineRule({
  id: 'kubernetes.spread-missing',
  title: 'All replicas may be on one node',
  severity: 'info',
  confidence: 'likely',
  hint: 'Add topologySpreadConstraints over kubernetes.io/hostname, or a podAntiAffinity.',
  references: [
    'no-anti-affinity',
    'https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/',
  ],
  docs: {
    ...docs,
    what: 'Finds workloads with several replicas and neither `topologySpreadConstraints` nor `podAntiAffinity`.',
    why: 'The scheduler spreads them where it costs nothing, and no further: one node that fails may take all.',
    bad: deployment({ spec: two }),
    good: deployment({
      spec: two,
      pod: [
        'topologySpreadConstraints:',
        '  - maxSkew: 1',
        '    topologyKey: kubernetes.io/hostname',
        '    whenUnsatisfiable: ScheduleAnyway',
        '    labelSelector: { matchLabels: { app: web } }',
      ],
    }),
  },
  needs,
  check({ facts, report }) {
    for (const object of replicated(facts.manifests)) {
      const { spec } = object.pods!
      if (!spec.has('topologySpreadConstraints') && spec.at('affinity', 'podAntiAffinity') === null)
        report({ message: 'Nothing spreads its pods.', place: object.place, resource: object.resource })
    }
  },
})

export const rolloutTakesAll = defineRule({
  id: 'kubernetes.rollout-takes-all',
  title: 'A rollout ends all pods before new ones are ready',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Write strategy: { type: RollingUpdate, rollingUpdate: { maxUnavailable: 0 } }.',
  references: [
    'no-rolling-update-strategy',
    'https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#strategy',
  ],
  docs: {
    ...docs,
    what: 'Finds Deployments with `strategy: Recreate` and no volume that one pod alone can have, and those whose `maxUnavailable` is 100%.',
    why: 'Each release is downtime, and one that does not start stays down.',
    bad: deployment({ spec: ['strategy: { type: Recreate }'] }),
    good: deployment({ spec: ['strategy: { type: RollingUpdate, rollingUpdate: { maxUnavailable: 0 } }'] }),
  },
  needs,
  check({ facts, report }) {
    for (const object of objectsOf(facts.manifests, 'Deployment')) {
      const type = object.node.at('spec', 'strategy', 'type')
      const max = object.node.at('spec', 'strategy', 'rollingUpdate', 'maxUnavailable')
      const hasVolume = object.pods!.volumes.some(
        ({ hostPath, references }) =>
          hostPath !== null || references.some(({ kind }) => kind === 'PersistentVolumeClaim'),
      )
      if (type?.text === 'Recreate' && !hasVolume)
        report({ message: 'Its strategy is Recreate.', place: type.place, resource: object.resource })
      if (max?.text === '100%')
        report({ message: 'maxUnavailable is 100%.', place: max.place, resource: object.resource })
    }
  },
})

const cronJob = (...spec: string[]) =>
  [
    'apiVersion: batch/v1',
    'kind: CronJob',
    'metadata: { name: report }',
    'spec:',
    '  schedule: "0 4 * * *"',
    ...spec,
    '  jobTemplate:',
    '    spec:',
    '      activeDeadlineSeconds: 600',
    '      template: { spec: { restartPolicy: Never, containers: [{ name: report, image: "shop:1.4" }] } }',
    '',
  ].join('\n')

export const cronOverlaps = defineRule({
  id: 'kubernetes.cron-overlaps',
  title: 'A CronJob starts again while it still runs',
  severity: 'info',
  confidence: 'likely',
  hint: 'Write concurrencyPolicy: Forbid.',
  references: ['https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#concurrency-policy'],
  docs: {
    ...docs,
    what: 'Finds CronJobs without a `concurrencyPolicy`, or with `Allow` and no word why.',
    why: 'A run that takes longer than its interval meets the next one, then a third: at the same rows, on the same node.',
    bad: cronJob(),
    good: cronJob('  concurrencyPolicy: Forbid'),
  },
  needs,
  check({ facts, report }) {
    for (const object of objectsOf(facts.manifests, 'CronJob'))
      if (object.node.at('spec', 'concurrencyPolicy') === null)
        report({ message: 'It has no concurrencyPolicy.', place: object.place, resource: object.resource })
  },
})

const job = (...spec: string[]) =>
  [
    'apiVersion: batch/v1',
    'kind: Job',
    'metadata: { name: migrate }',
    'spec:',
    ...spec,
    '  template: { spec: { restartPolicy: Never, containers: [{ name: migrate, image: "shop:1.4" }] } }',
    '',
  ].join('\n')

export const jobWithoutDeadline = defineRule({
  id: 'kubernetes.job-without-deadline',
  title: 'A job may run for ever',
  severity: 'info',
  confidence: 'likely',
  hint: 'Write activeDeadlineSeconds, with more than its longest run.',
  references: ['https://kubernetes.io/docs/concepts/workloads/controllers/job/#job-termination-and-cleanup'],
  docs: {
    ...docs,
    what: 'Finds Jobs and CronJobs without `activeDeadlineSeconds`, of the job or its pods.',
    why: 'One that waits for a lock holds its place, and with concurrencyPolicy: Forbid keeps all later runs away.',
    bad: job(),
    good: job('  activeDeadlineSeconds: 600'),
  },
  needs,
  check({ facts, report }) {
    for (const object of objectsOf(facts.manifests)) {
      if (object.builtin !== 'Job' && object.builtin !== 'CronJob') continue
      const spec =
        object.builtin === 'Job' ? object.node.at('spec') : object.node.at('spec', 'jobTemplate', 'spec')
      if (spec?.has('activeDeadlineSeconds') !== true && !object.pods!.spec.has('activeDeadlineSeconds'))
        report({ message: 'It has no deadline.', place: object.place, resource: object.resource })
    }
  },
})
