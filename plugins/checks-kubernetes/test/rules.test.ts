import { checkFiles, testRule } from '@havn/checklist/testing'
import { describe, expect, test } from 'vitest'
import { deployment } from '../src/examples.ts'
import { rules } from '../src/rules/index.ts'
import { cases } from './cases.ts'

describe.each(rules.map((rule) => [rule.id, rule] as const))('%s', (id, rule) => {
  const { passing = {}, failing = {} } = cases[id] ?? {}
  testRule(test, rule, { example: 'web.yaml', passing, failing })
})

test('cases are of rules', () => {
  const ids = new Set(rules.map(({ id }) => id))
  expect(Object.keys(cases).filter((id) => !ids.has(id))).toEqual([])
})

test('an API that was taken out is written anew', async () => {
  const text = 'apiVersion: batch/v1beta1 # old\nkind: CronJob\nmetadata: {name: a}\n'
  const { findings } = await checkFiles(rules, { 'a.yaml': text })
  const [fix] = findings.find(({ rule }) => rule === 'kubernetes.api-removed')!.fixes
  const [edit] = fix!.edits
  expect(fix!.safety).toBe('safe')
  expect(text.slice(0, edit!.start) + edit!.text + text.slice(edit!.end)).toBe(text.replace('v1beta1', 'v1'))
})

test('secrets are in no message', async () => {
  const { findings } = await checkFiles(rules, {
    'a.yaml':
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  API_TOKEN: kmqz1vwj83\n  URL: postgres://a:kmqz1vwj83@db/x\n',
  })
  expect(findings.filter(({ rule }) => rule === 'kubernetes.secret-in-configmap')).toHaveLength(2)
  expect(JSON.stringify(findings)).not.toContain('kmqz1vwj83')
})

test('charts of Helm are named, once each', async () => {
  const { findings } = await checkFiles(rules, {
    'chart/Chart.yaml': 'name: x\n',
    'chart/templates/a.yaml': '{{- if .Values.x }}\n',
    'chart/templates/b.yaml': 'apiVersion: v1\nkind: {{ x }}\n',
  })
  expect(findings.map(({ rule, message, place }) => [rule, message, place!.file])).toEqual([
    [
      'kubernetes.not-checked',
      'Its templates are no manifests until Helm has put values in: chart, 2 files.',
      'chart/templates/a.yaml',
    ],
  ])
})

describe('how much it matters', () => {
  const service = (...ports: number[]) =>
    `---\napiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {selector: {app: web}, ports: [${ports.map((port) => `{name: p${port}, port: ${port}}`).join(', ')}]}\n`
  const ports = deployment({ container: ['image: shop:1.4', 'ports: [{ containerPort: 8000 }]'] })
  const asking = (port: string) =>
    deployment({
      container: [
        'image: shop:1.4',
        'ports: [{ containerPort: 8000 }]',
        `livenessProbe: { tcpSocket: { port: ${port} } }`,
      ],
    })
  const pidOf = (kind: string) => deployment({ pod: ['hostPID: true'] }).replace('Deployment', kind)
  const adding = (name: string) =>
    deployment({ container: ['image: shop:1.4', `securityContext: { capabilities: { add: [${name}] } }`] })
  const bare = (kind: string) => deployment({}).replace('Deployment', kind)

  test.each([
    ['a service of which the pods list no port', 'service-port-unknown', ports + service(80), 'warn'],
    ['one of which they list another', 'service-port-unknown', ports + service(80, 8000), 'info'],
    ['a probe of a port that is not listed', 'probe-port-unknown', asking('9000'), 'info'],
    ['a probe of a name that is not there', 'probe-port-unknown', asking('web'), 'error'],
    ["the node's processes", 'host-namespace', pidOf('Deployment'), 'warn'],
    ["the node's processes, for an agent", 'host-namespace', pidOf('DaemonSet'), 'info'],
    ['a way to the node', 'capability-added', adding('SYS_ADMIN'), 'warn'],
    ['another capability', 'capability-added', adding('SYS_NICE'), 'info'],
    ['memory of what stays up', 'memory-limit', bare('ReplicaSet'), 'warn'],
    ['memory of what ends', 'memory-limit', bare('Job').replace('apps', 'batch'), 'info'],
  ])('%s', async (_, rule, text, severity) => {
    const { findings } = await checkFiles(rules, { 'a.yaml': text })
    const found = findings.filter((each) => each.rule === `kubernetes.${rule}`)
    expect(found.map((each) => each.severity)).toEqual([severity])
  })
})

test('a patch is not told off for what it leaves out', async () => {
  const { findings } = await checkFiles(rules, {
    'overlay/kustomization.yaml': 'resources: [../base]\npatches: [{path: web.yaml}]\n',
    'overlay/web.yaml':
      'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: 3\n  template:\n    spec:\n      containers: [{name: web, image: "shop:1"}]\n',
  })
  expect(findings).toEqual([])
})

test('more than a thousand manifests are checked', { timeout: 120_000 }, async () => {
  const one = (at: number) =>
    `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web-${at}}\nspec:\n  selector: {matchLabels: {app: web-${at}}}\n  template:\n    metadata: {labels: {app: web-${at}}}\n    spec:\n      containers:\n        - name: web\n          image: shop:1\n---\napiVersion: v1\nkind: Service\nmetadata: {name: web-${at}}\nspec: {selector: {app: web-${at}}, ports: [{port: 80}]}\n`
  const files = Object.fromEntries(Array.from({ length: 1_100 }, (_, at) => [`k8s/${at}.yaml`, one(at)]))
  const result = await checkFiles(rules, files, { timeoutMs: 100_000 })
  expect(result.rules.filter(({ outcome }) => outcome === 'errored')).toEqual([])
  expect(result.findings.filter(({ rule }) => rule === 'kubernetes.memory-limit')).toHaveLength(1_100)
})
