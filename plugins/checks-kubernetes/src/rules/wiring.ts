import { defineRule, manifests } from '@havn/checklist'
import type { KubernetesObject, Manifests, YamlNode } from '@havn/checklist'
import { deployment } from '../examples.ts'
import { isRelabelled, isSameNamespace, objectsOf, selects, textsOf, workloadsOf } from '../walk.ts'

const docs = { language: 'yaml' }
const needs = { manifests }

export const selectorMismatch = defineRule({
  id: 'kubernetes.selector-mismatch',
  title: 'A workload does not select its own pods',
  severity: 'error',
  confidence: 'certain',
  hint: 'Give the template the labels that the selector wants.',
  references: [
    'mismatching-selector',
    'https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#selector',
  ],
  docs: {
    ...docs,
    what: 'Finds Deployments, StatefulSets and DaemonSets whose `selector.matchLabels` are not labels of their template.',
    why: 'The API refuses them.',
    bad: deployment({}).replace('labels: { app: web }', 'labels: { app: shop }'),
    good: deployment({}),
  },
  needs,
  check({ facts, report }) {
    for (const { object, pods, isStaying } of workloadsOf(facts.manifests)) {
      const selector = object.node.at('spec', 'selector', 'matchLabels')
      const wanted = textsOf(selector)
      // A template without labels gets those that Kustomize adds.
      if (!isStaying || wanted.size === 0 || selects(wanted, pods.labels)) continue
      if (isRelabelled(facts.manifests) && pods.labels.size === 0) continue
      report({
        message: 'Its selector wants labels that its template lacks.',
        place: selector!.place,
        resource: object.resource,
      })
    }
  },
})

const service = (selector: string, port: string) =>
  `---\napiVersion: v1\nkind: Service\nmetadata: { name: web }\nspec:\n  selector: { app: ${selector} }\n  ports: [{ port: 80, targetPort: ${port} }]\n`
const withPort = deployment({
  container: ['image: shop:1.4', 'ports: [{ name: http, containerPort: 8000 }]'],
})

/** What a service sends requests to; null where nobody knows. */
function targetsOf(object: KubernetesObject, facts: Manifests) {
  const selector = textsOf(object.node.at('spec', 'selector'))
  if (selector.size === 0 || isRelabelled(facts)) return null
  return facts.objects.flatMap((each) =>
    each.pods !== null && isSameNamespace(each, object) && selects(selector, each.pods.labels)
      ? [each.pods]
      : [],
  )
}

export const serviceWithoutPods = defineRule({
  id: 'kubernetes.service-without-pods',
  title: 'A service selects no pods',
  severity: 'warn',
  confidence: 'likely',
  hint: "Write the labels of the pods' template into its selector.",
  references: ['dangling-service'],
  docs: {
    ...docs,
    what: 'Finds services whose selector fits the pods of no workload of the project, where the same file or folder has workloads.',
    why: 'It has no endpoints: each request ends in a timeout, or a 503 of the Ingress.',
    bad: withPort + service('shop', 'http'),
    good: withPort + service('web', 'http'),
  },
  needs,
  check({ facts, report }) {
    const folders = new Set(workloadsOf(facts.manifests).map(({ object }) => folderOf(object)))
    // What an operator or a chart makes has its pods there.
    const hasOthers = facts.manifests.objects.some(
      ({ builtin, node }) => builtin === null && node.has('spec'),
    )
    for (const object of objectsOf(facts.manifests, 'Service')) {
      const targets = targetsOf(object, facts.manifests)
      if (targets === null || targets.length > 0 || hasOthers || !folders.has(folderOf(object))) continue
      report({
        message: 'Its selector fits no pods.',
        place: object.node.at('spec', 'selector')!.place,
        resource: object.resource,
      })
    }
  },
})

function folderOf({ source }: KubernetesObject): string {
  return source.file.slice(0, source.file.lastIndexOf('/') + 1)
}

export const servicePort = defineRule({
  id: 'kubernetes.service-port-unknown',
  title: 'A service sends requests to a port that its pods do not have',
  severity: 'error',
  confidence: 'likely',
  hint: 'Name a port of the container.',
  references: [
    'dangling-service',
    'https://kubernetes.io/docs/concepts/services-networking/service/#field-spec-ports',
  ],
  docs: {
    ...docs,
    what: 'Finds `targetPort` that no container of the selected pods has: an error for names, a warning for numbers. Containers need not list all their ports, so that it is a note where they list others of the service.',
    why: 'A name that is not there leaves the service without endpoints; a number that is not served refuses each connection.',
    bad: withPort + service('web', 'web'),
    good: withPort + service('web', 'http'),
  },
  needs,
  check({ facts, report }) {
    for (const object of objectsOf(facts.manifests, 'Service')) {
      const pods = targetsOf(object, facts.manifests) ?? []
      const ports = pods.flatMap(({ containers }) => containers.flatMap((container) => container.ports))
      const isListed = (wanted: YamlNode) =>
        ports.some(({ name, containerPort }) =>
          wanted.number !== null ? containerPort === wanted.number : name === wanted.text,
        )
      const items = object.node.at('spec', 'ports')?.items() ?? []
      const targets = items.flatMap((item) => item.at('targetPort') ?? item.at('port') ?? [])
      const fitsElsewhere = targets.some(isListed)
      for (const port of targets) {
        if (port.text === null || pods.length === 0) continue
        const isNumber = port.number !== null
        // Containers that list no ports may serve any.
        if (isListed(port) || (isNumber && ports.length === 0)) continue
        report({
          message: `No container has the port ${port.text}.`,
          place: port.place,
          resource: object.resource,
          severity: !isNumber ? undefined : fitsElsewhere ? 'info' : 'warn',
        })
      }
    }
  },
})

const ingress = (name: string, port: string) =>
  `---\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: { name: web }\nspec:\n  rules:\n    - http: { paths: [{ path: /, pathType: Prefix, backend: { service: { name: ${name}, port: { number: ${port} } } } }] }\n`

interface Backend {
  name: YamlNode
  port: YamlNode | null
}

function backendsOf({ node }: KubernetesObject): Backend[] {
  const read = (backend: YamlNode | null): Backend[] => {
    const service = backend?.at('service') ?? null
    // The second form is that of v1beta1.
    const name = service?.at('name') ?? backend?.at('serviceName') ?? null
    const port =
      service?.at('port', 'number') ?? service?.at('port', 'name') ?? backend?.at('servicePort') ?? null
    return name?.text == null ? [] : [{ name, port }]
  }
  const paths = (node.at('spec', 'rules')?.items() ?? []).flatMap(
    (rule) => rule.at('http', 'paths')?.items() ?? [],
  )
  return [
    ...read(node.at('spec', 'defaultBackend') ?? node.at('spec', 'backend')),
    ...paths.flatMap((path) => read(path.at('backend'))),
  ]
}

export const ingressBackend = defineRule({
  id: 'kubernetes.ingress-backend-unknown',
  title: 'An Ingress leads to a service or a port that is not there',
  severity: 'warn',
  confidence: 'likely',
  hint: 'Correct the name or the port of the backend.',
  references: ['dangling-ingress'],
  docs: {
    ...docs,
    what: 'Finds backends whose service no manifest in the same folder is, where the folder has services; and ports that the service does not have, which is an error.',
    why: 'Each request of that path ends in a 503.',
    bad: withPort + service('web', 'http') + ingress('shop', '80'),
    good: withPort + service('web', 'http') + ingress('web', '80'),
  },
  needs,
  check({ facts, report }) {
    if (isRelabelled(facts.manifests)) return
    const services = objectsOf(facts.manifests, 'Service')
    const folders = new Set(services.map(folderOf))
    for (const object of objectsOf(facts.manifests, 'Ingress'))
      for (const { name, port } of backendsOf(object)) {
        const found = services.filter((each) => each.name === name.text && isSameNamespace(each, object))
        const isVariable = /[${]|^ssl-redirect$|^use-annotation$/.test(name.text! + (port?.text ?? ''))
        if (isVariable || port?.text === 'use-annotation') continue
        if (found.length === 0 && folders.has(folderOf(object)))
          report({
            message: `No service is called ${name.text}.`,
            place: name.place,
            resource: object.resource,
          })
        else if (found.length > 0 && port !== null && !found.some((each) => hasPort(each, port)))
          report({
            message: `The service ${name.text} has no port ${port.text}.`,
            place: port.place,
            resource: object.resource,
            severity: 'error',
            related: [{ message: 'the service is here', place: found[0]!.place }],
          })
      }
  },
})

function hasPort({ node }: KubernetesObject, port: YamlNode): boolean {
  const items = node.at('spec', 'ports')?.items() ?? []
  return items.some((item) =>
    port.number !== null ? item.at('port')?.number === port.number : item.at('name')?.text === port.text,
  )
}

export const referenceDangling = defineRule({
  id: 'kubernetes.reference-dangling',
  title: 'Pods want a ConfigMap, Secret or claim that no manifest is',
  severity: 'info',
  confidence: 'possible',
  hint: 'Add it, correct its name, or see to it that it is in the cluster before.',
  references: ['https://kubernetes.io/docs/concepts/configuration/configmap/'],
  docs: {
    ...docs,
    what: 'Finds names of ConfigMaps, Secrets and claims that no manifest of the project makes. Only in the profile `strict`: Secrets are mostly made elsewhere.',
    why: 'The pods wait for it, and never start: CreateContainerConfigError.',
    bad: deployment({ container: ['image: shop:1.4', 'envFrom: [{ configMapRef: { name: settings } }]'] }),
    good:
      deployment({ container: ['image: shop:1.4', 'envFrom: [{ configMapRef: { name: settings } }]'] }) +
      '---\napiVersion: v1\nkind: ConfigMap\nmetadata: { name: settings }\n',
  },
  needs,
  check({ facts, report }) {
    const { objects, kustomizations } = facts.manifests
    const there = new Set([
      ...objects.map(({ kind, name }) => `${kind}/${name}`),
      ...kustomizations.flatMap(({ generated }) => generated.map(({ kind, name }) => `${kind}/${name}`)),
    ])
    for (const { object, pods } of workloadsOf(facts.manifests)) {
      const containers = [...pods.containers, ...pods.initContainers]
      const references = [
        ...pods.volumes.flatMap((volume) => volume.references),
        ...containers.flatMap(({ env, envFrom }) => [...env.flatMap(({ from }) => from ?? []), ...envFrom]),
      ]
      const told = new Set<string>()
      for (const { kind, name, isOptional, place } of references) {
        const key = `${kind}/${name}`
        if (isOptional || there.has(key) || told.has(key)) continue
        told.add(key)
        report({ message: `No manifest is ${key}.`, place, resource: object.resource })
      }
    }
  },
})

export const mountUnknown = defineRule({
  id: 'kubernetes.mount-unknown',
  title: 'A container mounts a volume that its pod does not have',
  severity: 'error',
  confidence: 'certain',
  hint: 'Add it to the volumes of the pod, or correct its name.',
  references: ['https://kubernetes.io/docs/concepts/storage/volumes/'],
  docs: {
    ...docs,
    what: 'Finds `volumeMounts` whose name is not among the volumes of the pod, nor, in a StatefulSet, among its claim templates.',
    why: 'The API refuses it.',
    bad: deployment({ container: ['image: shop:1.4', 'volumeMounts: [{ name: tmp, mountPath: /tmp }]'] }),
    good: deployment({
      container: ['image: shop:1.4', 'volumeMounts: [{ name: tmp, mountPath: /tmp }]'],
      pod: ['volumes: [{ name: tmp, emptyDir: {} }]'],
    }),
  },
  needs,
  check({ facts, report }) {
    for (const { object, pods } of workloadsOf(facts.manifests)) {
      const claims = object.node.at('spec', 'volumeClaimTemplates')?.items() ?? []
      const names = new Set<string | null>([
        ...pods.volumes.map(({ name }) => name),
        ...claims.map((claim) => claim.at('metadata', 'name')?.text ?? null),
      ])
      for (const { mounts } of [...pods.containers, ...pods.initContainers])
        for (const { name, place } of mounts)
          if (!names.has(name))
            report({ message: `No volume is called "${name}".`, place, resource: object.resource })
    }
  },
})
