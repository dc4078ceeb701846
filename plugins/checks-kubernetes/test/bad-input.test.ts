import { symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { checkFiles } from '@havn/checklist/testing'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { rules } from '../src/rules/index.ts'

const pod = {
  metadata: { labels: { app: 'web' }, annotations: {} },
  spec: {
    securityContext: { runAsUser: 0, sysctls: [{ name: 'x' }], seccompProfile: { type: 'Unconfined' } },
    serviceAccountName: 'default',
    hostNetwork: true,
    terminationGracePeriodSeconds: 5,
    initContainers: [{ name: 'a', image: 'b', restartPolicy: 'Always' }],
    containers: [
      {
        name: 'web',
        image: 'shop:latest',
        imagePullPolicy: 'Never',
        command: ['a'],
        args: ['b'],
        env: [
          { name: 'KEY', value: 'x' },
          { name: 'S', valueFrom: { secretKeyRef: { name: 'a', key: 'b' } } },
        ],
        envFrom: [{ configMapRef: { name: 'a' } }],
        ports: [{ name: 'http', containerPort: 80, hostPort: 80 }],
        readinessProbe: { httpGet: { path: '/', port: 'http', httpHeaders: [{ name: 'Host', value: 'a' }] } },
        livenessProbe: { exec: { command: ['a'] }, periodSeconds: 1 },
        securityContext: { privileged: true, capabilities: { add: ['ALL'], drop: ['ALL'] } },
        resources: { limits: { cpu: 1, memory: '1Gi' } },
        volumeMounts: [{ name: 'a', mountPath: '/a' }],
      },
    ],
    volumes: [
      { name: 'a', hostPath: { path: '/' } },
      { name: 'b', projected: { sources: [{ secret: { name: 'a' } }] } },
    ],
  },
}
const object = (apiVersion: string, kind: string, spec: object, more: object = {}) => ({
  apiVersion,
  kind,
  metadata: { name: 'web', namespace: 'shop', labels: { app: 'web' } },
  spec,
  ...more,
})
/** Every kind and key that a rule or a fact looks at. */
const samples: readonly object[] = [
  object('apps/v1', 'Deployment', {
    replicas: 2,
    strategy: { type: 'Recreate' },
    selector: { matchLabels: { app: 'x' } },
    template: pod,
  }),
  object('apps/v1', 'StatefulSet', {
    selector: { matchLabels: {} },
    template: pod,
    volumeClaimTemplates: [{ metadata: { name: 'a' } }],
  }),
  object('batch/v1', 'CronJob', { jobTemplate: { spec: { template: pod } } }),
  object('v1', 'Service', {
    type: 'NodePort',
    selector: { app: 'web' },
    ports: [{ port: 80, targetPort: 'x' }],
  }),
  object('networking.k8s.io/v1', 'Ingress', {
    defaultBackend: { service: { name: 'a', port: { name: 'b' } } },
    rules: [
      { host: 'a', http: { paths: [{ backend: { service: { name: 'web', port: { number: 81 } } } }] } },
    ],
  }),
  object('policy/v1', 'PodDisruptionBudget', { minAvailable: 2, selector: { matchLabels: { app: 'web' } } }),
  object('v1', 'ConfigMap', {}, { data: { KEY: 'abcdef', DEBUG: '1' } }),
  object(
    'rbac.authorization.k8s.io/v1',
    'ClusterRole',
    {},
    { rules: [{ verbs: ['*'], apiGroups: ['a'], resources: ['*'] }] },
  ),
  object(
    'rbac.authorization.k8s.io/v1',
    'ClusterRoleBinding',
    {},
    { roleRef: { name: 'cluster-admin' }, subjects: [{ kind: 'ServiceAccount', name: 'default' }] },
  ),
  object('autoscaling/v2', 'HorizontalPodAutoscaler', {
    scaleTargetRef: { kind: 'Deployment', name: 'web' },
  }),
]
const kustomization = {
  resources: ['a'],
  patches: [{ path: 'b' }],
  images: [{ name: 'x' }],
  configMapGenerator: [{ name: 'a' }],
}

const junk = fc.constantFrom<unknown>(
  null,
  '',
  'x',
  '$',
  0,
  -1,
  1e300,
  true,
  [],
  {},
  [[]],
  [{}],
  [null],
  { x: null },
  { '': {} },
  '\u0001',
  '😀',
  '../..',
)

/** Puts junk in place of one value in fifteen or so. */
function mutate(value: unknown, pick: () => number, next: () => unknown): unknown {
  if (pick() === 0) return next()
  if (Array.isArray(value)) return value.map((each) => mutate(each, pick, next))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, mutate(each, pick, next)]))
}

test('wrong types everywhere crash no rule', { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.infiniteStream(fc.nat(14)), fc.infiniteStream(junk), async (picks, values) => {
      const twist = (value: unknown) =>
        mutate(
          value,
          () => picks.next().value!,
          () => values.next().value,
        )
      const files = {
        'a.yaml': samples.map((sample) => JSON.stringify(twist(sample))).join('\n---\n'),
        'list.json': JSON.stringify({ apiVersion: 'v1', kind: 'List', items: samples.map(twist) }),
        'kustomization.yaml': JSON.stringify(twist(kustomization)),
      }
      const result = await checkFiles(rules, files)
      const errored = result.rules.filter(({ outcome }) => outcome === 'errored')
      expect(errored.map(({ rule, reason }) => [rule.id, reason])).toEqual([])
    }),
    { numRuns: 100 },
  )
})

describe('is found, and no crash', () => {
  test('a file of 50 MB, and links in a circle and out of the project', async () => {
    const { findings } = await checkFiles(
      rules,
      { 'a.txt': '' },
      {
        async prepare(directory) {
          await writeFile(join(directory, 'large.yaml'), 'apiVersion: v1\nkind: Service\n')
          await truncate(join(directory, 'large.yaml'), 50 * 1024 * 1024)
          await symlink('b.yaml', join(directory, 'a.yaml'))
          await symlink('a.yaml', join(directory, 'b.yaml'))
          await symlink('/etc/passwd', join(directory, 'c.yaml'))
          await symlink('.', join(directory, 'loop'))
        },
      },
    )
    expect(findings.map(({ rule, place }) => `${rule} ${place!.file}`)).toEqual(
      ['a', 'b', 'c', 'large'].map((name) => `kubernetes.not-checked ${name}.yaml`),
    )
  })

  test('manifests in JSON that are too large, and no data', async () => {
    const object = '{ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "a" } }'
    const large = (text: string) => text + ' '.repeat(5 * 1024 * 1024)
    const { findings } = await checkFiles(rules, {
      'list.json': large(`{ "items": [${object}], "apiVersion": "v1", "kind": "List" }`),
      'one.json': large(object),
      'data.json': large('[1, 2, 3]'),
    })
    expect(findings.map(({ rule, place }) => `${rule} ${place!.file}`)).toEqual(
      ['list', 'one'].map((name) => `kubernetes.not-checked ${name}.json`),
    )
  })

  test.each([
    ['binary', 'apiVersion: v1\nkind: Pod\n\u0000\u0001PNG', 'kubernetes.unreadable'],
    ['brackets', `apiVersion: v1\nkind: Pod\na: ${'['.repeat(10_000)}`, 'kubernetes.unreadable'],
    ['a template', 'apiVersion: v1\nkind: Pod\n{{ if x }}\na: b\n{{ end }}\n', 'kubernetes.not-checked'],
  ])('%s', async (_, text, wanted) => {
    const { findings, rules: results } = await checkFiles(rules, { 'a.yaml': text })
    expect(results.filter(({ outcome }) => outcome === 'errored')).toEqual([])
    expect(findings.map(({ rule }) => rule)).toEqual([wanted])
  })
})
