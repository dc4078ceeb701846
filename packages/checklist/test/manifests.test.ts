import { describe, expect, test } from 'vitest'
import { manifests, type Manifests } from '../src/index.ts'
import { collectFact } from './collect-fact.ts'

async function collect(files: Record<string, string>): Promise<Manifests> {
  return (await collectFact(manifests, files))!
}

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop, labels: {app: web}}
spec:
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 60
      initContainers:
        - {name: migrate, image: web:1}
        - {name: proxy, image: proxy:1, restartPolicy: Always}
      containers:
        - name: web
          image: registry:5000/web:1.2
          command: [gunicorn]
          args: [-b, "0:8000"]
          env:
            - {name: DEBUG, value: "1"}
            - {name: KEY, valueFrom: {secretKeyRef: {name: web, key: key, optional: true}}}
            - {name: IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
          envFrom: [{configMapRef: {name: settings}}]
          ports: [{name: http, containerPort: 8000}]
          readinessProbe: {httpGet: {path: /up, port: http, httpHeaders: [{name: Host, value: shop.test}]}}
          livenessProbe: {exec: {command: [cat, /x]}}
          volumeMounts: [{name: data, mountPath: /data, readOnly: true}]
      volumes:
        - {name: data, persistentVolumeClaim: {claimName: data}}
        - {name: host, hostPath: {path: /etc}}
`

test('objects, their pods and all that these name', async () => {
  const { objects, problems, skipped } = await collect({ 'k8s/web.yaml': deployment })
  expect([problems, skipped]).toEqual([[], []])
  const [web] = objects
  expect(web).toMatchObject({
    kind: 'Deployment',
    group: 'apps',
    builtin: 'Deployment',
    name: 'web',
    namespace: 'shop',
  })
  expect(web).toMatchObject({ resource: 'Deployment/web', isPartial: false, place: { line: 3 } })
  const { containers, initContainers, volumes, ...pods } = web!.pods!
  expect(pods.terminationGracePeriodSeconds).toBe(60)
  expect(initContainers.map(({ name }) => name)).toEqual(['migrate'])
  expect(containers.map(({ name }) => name)).toEqual(['web', 'proxy'])
  const [container] = containers
  expect(container!.imageReference).toEqual({ name: 'registry:5000/web', tag: '1.2', digest: null })
  expect(container!.env.map(({ name, value, from }) => [name, value, from?.kind ?? null])).toEqual([
    ['DEBUG', '1', null],
    ['KEY', null, 'Secret'],
    ['IP', null, null],
  ])
  expect(container!.envFrom).toMatchObject([{ kind: 'ConfigMap', name: 'settings', isOptional: false }])
  expect(container!.ports).toMatchObject([{ name: 'http', containerPort: 8000, hostPort: null }])
  expect(container!.probes).toMatchObject([
    {
      type: 'readiness',
      http: { path: '/up', hostHeader: 'shop.test' },
      port: { text: 'http' },
      place: { line: 23 },
    },
    { type: 'liveness', http: null, command: [{ text: 'cat' }, { text: '/x' }] },
  ])
  expect(volumes.map(({ hostPath, references }) => [hostPath, references.map(({ name }) => name)])).toEqual([
    [null, ['data']],
    ['/etc', []],
  ])
})

describe('where pods are described', () => {
  const pod = 'spec: {containers: [{name: a, image: b}]}'
  test.each([
    ['v1', 'Pod', pod],
    ['apps/v1', 'StatefulSet', `spec: {template: {${pod}}}`],
    ['apps/v1', 'DaemonSet', `spec: {template: {${pod}}}`],
    ['batch/v1', 'Job', `spec: {template: {${pod}}}`],
    ['batch/v1', 'CronJob', `spec: {jobTemplate: {spec: {template: {${pod}}}}}`],
  ])('%s %s', async (apiVersion, kind, spec) => {
    const { objects } = await collect({
      'a.yml': `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: a}\n${spec}\n`,
    })
    expect(objects[0]!.pods!.containers.map(({ name }) => name)).toEqual(['a'])
  })

  test('not in kinds of others', async () => {
    const { objects } = await collect({
      'a.yml': `apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: a}\nspec: {template: {${pod}}}\n`,
    })
    expect(objects).toMatchObject([{ kind: 'Service', builtin: null, pods: null }])
  })
})

test('lists, several documents and JSON', async () => {
  const item = (name: string) => `{apiVersion: v1, kind: Service, metadata: {name: ${name}}, spec: {}}`
  const { objects } = await collect({
    'a.yaml': `apiVersion: v1\nkind: List\nitems:\n- ${item('one')}\n- ${item('two')}\n---\n${item('three')}\n`,
    'b.json': '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "four"}}',
    'package.json': '{"apiVersion": "v1", "kind": "ConfigMap"}',
    'other.yaml': 'kind: x\n',
  })
  expect(objects.map(({ name }) => name)).toEqual(['one', 'two', 'three', 'four'])
})

test('definitions of other kinds are passed over, and places stay', async () => {
  const definition = 'apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nspec: {a: [}\n'
  const service = 'apiVersion: v1\nkind: Service\nmetadata:\n  name: web\nspec: {}\n'
  const { objects, problems } = await collect({ 'a.yaml': `${definition}---\n${service}---\n${definition}` })
  expect(objects).toMatchObject([{ name: 'web', place: { line: 8, column: 9 } }])
  expect(problems).toEqual([])
})

describe('kustomize', () => {
  test('patches are no whole objects', async () => {
    const { objects, kustomizations } = await collect({
      'base/web.yaml': deployment,
      'overlay/kustomization.yaml':
        'resources: [../base]\nnamespace: live\npatches: [{path: big.yaml}]\nimages: [{name: web, newTag: "2"}]\nconfigMapGenerator: [{name: settings}]\nsecretGenerator: [{name: web}]\n',
      'overlay/big.yaml': deployment,
      'overlay/small.yaml':
        'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {template: {spec: {containers: [{name: web}]}}}\n',
    })
    expect(objects.map(({ source, isPartial }) => [source.file, isPartial])).toEqual([
      ['base/web.yaml', false],
      ['overlay/big.yaml', true],
      ['overlay/small.yaml', true],
    ])
    expect(kustomizations).toMatchObject([
      {
        resources: ['base'],
        patches: ['overlay/big.yaml'],
        namespace: 'live',
        generated: [
          { kind: 'ConfigMap', name: 'settings' },
          { kind: 'Secret', name: 'web' },
        ],
      },
    ])
    expect([...kustomizations[0]!.images]).toEqual(['web'])
  })
})

describe('templates', () => {
  const template = 'apiVersion: v1\nkind: Service\nmetadata:\n  name: {{ .Release.Name }}\n'
  test('of charts are skipped by name, broken or not', async () => {
    const { objects, problems, skipped } = await collect({
      'charts/web/Chart.yaml': 'apiVersion: v2\nname: web\n',
      'charts/web/values.yaml': 'a: 1\n',
      'charts/web/templates/a.yaml': template,
      'charts/web/templates/deep/b.yaml': deployment,
      'charts/web/crds/c.yaml': 'apiVersion: v1\nkind: Namespace\nmetadata: {name: x}\n',
    })
    expect(objects.map(({ kind }) => kind)).toEqual(['Namespace'])
    expect(problems).toEqual([])
    expect(skipped).toMatchObject([{ name: 'charts/web', files: 2, reason: 'helm' }])
  })

  test.each([
    ['values', template],
    ['parts of values', 'apiVersion: v1\nkind: Service\nmetadata:\n  name: web-{{ name }}\n'],
    ['statements', 'apiVersion: v1\nkind: Service\n{% if x %}\nmetadata: {name: a}\n{% endif %}\n'],
  ])('%s elsewhere are skipped as well', async (_, text) => {
    const { objects, skipped } = await collect({ 'a.yaml': text })
    expect(objects).toEqual([])
    expect(skipped).toMatchObject([{ name: 'a.yaml', reason: 'template' }])
  })

  test('braces within texts are none', async () => {
    const { objects, skipped } = await collect({
      'a.yaml':
        'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  x: "{{ $labels.pod }}"\n  y: |\n    {{ z }}\n',
    })
    expect([objects.length, skipped]).toEqual([1, []])
  })
})

test('what cannot be read is told', async () => {
  const { objects, problems, skipped } = await collect({
    'tabs.yaml': 'apiVersion: v1\nkind: Service\nmetadata:\n\tname: a\n',
    'twice.yaml': 'apiVersion: v1\nkind: Service\nkind: Pod\nmetadata: {name: a}\n',
    'large.yaml': '#'.repeat(5 * 1024 * 1024),
    'large.json': ' '.repeat(5 * 1024 * 1024),
  })
  expect(objects.map(({ kind }) => kind)).toEqual(['Service'])
  expect(problems.map(({ place, message }) => `${place.file}:${place.line} ${message}`)).toEqual([
    'tabs.yaml:4 Tabs are not allowed as indentation.',
    'twice.yaml:3 The key "kind" is here twice.',
  ])
  expect(skipped).toMatchObject([{ name: 'large.yaml', reason: 'size' }])
})

test('nothing of the kind is null', async () => {
  expect(await collectFact(manifests, { 'a.yaml': 'a: 1\n' })).toBeNull()
})
