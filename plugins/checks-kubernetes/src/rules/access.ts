import { defineRule, manifests } from '@havn/checklist'
import { objectsOf } from '../walk.ts'

const docs = { language: 'yaml' }
const needs = { manifests }

const binding = (role: string) =>
  `apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: { name: web }\nroleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: ${role} }\nsubjects:\n  - { kind: ServiceAccount, name: web, namespace: shop }\n`

export const clusterAdmin = defineRule({
  id: 'kubernetes.cluster-admin',
  title: 'A service account may do everything',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Bind a Role with the few verbs and resources that it needs.',
  references: ['KSV-0111', 'cluster-admin-role-binding', 'CIS Kubernetes 5.1.1'],
  docs: {
    ...docs,
    what: 'Finds bindings of `cluster-admin` to service accounts, and to all users.',
    why: 'Whoever breaks into its pod owns the cluster, with all secrets of all who use it.',
    bad: binding('cluster-admin'),
    good: binding('view'),
  },
  needs,
  check({ facts, report }) {
    for (const object of facts.manifests.objects) {
      if (object.builtin !== 'ClusterRoleBinding' && object.builtin !== 'RoleBinding') continue
      const role = object.node.at('roleRef', 'name')
      if (role?.text !== 'cluster-admin') continue
      const isOpen = (object.node.at('subjects')?.items() ?? []).some((subject) => {
        const name = subject.at('name')?.text ?? ''
        return (
          subject.at('kind')?.text === 'ServiceAccount' ||
          /^system:(?:anonymous|unauth|auth|serviceacc)/.test(name)
        )
      })
      if (isOpen) report({ message: 'It binds cluster-admin.', place: role.place, resource: object.resource })
    }
  },
})

const role = (verbs: string) =>
  `apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: { name: web }\nrules:\n  - apiGroups: [""]\n    resources: [configmaps]\n    verbs: ${verbs}\n`

export const wildcardRole = defineRule({
  id: 'kubernetes.wildcard-role',
  title: 'A role may do what nobody listed',
  severity: 'warn',
  confidence: 'certain',
  hint: 'List the verbs and resources that are needed.',
  references: ['CKV_K8S_49', 'KSV-0045', 'KSV-0046', 'wildcard-in-rules'],
  docs: {
    ...docs,
    what: 'Finds `*` among the verbs or resources of roles; a note where the API group is one of others, as operators have them.',
    why: 'It covers secrets, and whatever Kubernetes or an operator adds later.',
    bad: role('["*"]'),
    good: role('[get, list]'),
  },
  needs,
  check({ facts, report }) {
    for (const object of facts.manifests.objects) {
      if (object.builtin !== 'Role' && object.builtin !== 'ClusterRole') continue
      for (const rule of object.node.at('rules')?.items() ?? []) {
        const groups = (rule.at('apiGroups')?.items() ?? []).map(({ text }) => text ?? '')
        const isOthers =
          groups.length > 0 && groups.every((group) => group.includes('.') && !group.endsWith('.k8s.io'))
        for (const key of ['verbs', 'resources'])
          for (const { text, place } of rule.at(key)?.items() ?? [])
            if (text === '*')
              report({
                message: `Its ${key} are *.`,
                place,
                resource: object.resource,
                severity: isOthers ? 'info' : undefined,
              })
      }
    }
  },
})

const service = (type: string) =>
  `apiVersion: v1\nkind: Service\nmetadata: { name: web }\nspec:\n  type: ${type}\n  selector: { app: web }\n  ports: [{ port: 80 }]\n`

export const serviceExposed = defineRule({
  id: 'kubernetes.service-exposed',
  title: 'A service is open to whoever reaches the nodes',
  severity: 'info',
  confidence: 'likely',
  hint: 'Put an Ingress before it and make it ClusterIP, or name loadBalancerSourceRanges.',
  references: ['exposed-services', 'KICS 26763a1c', 'KICS 845acfbe'],
  docs: {
    ...docs,
    what: 'Finds services of the type NodePort, and of the type LoadBalancer without `loadBalancerSourceRanges` and without an internal address.',
    why: 'Its port is open to the internet, on each node or at a balancer of its own, past the TLS and the limits of the Ingress.',
    bad: service('NodePort'),
    good: service('ClusterIP'),
  },
  needs,
  check({ facts, report }) {
    for (const object of objectsOf(facts.manifests, 'Service')) {
      const type = object.node.at('spec', 'type')
      const annotations = [...(object.node.at('metadata', 'annotations')?.entries() ?? [])]
      const isInternal = annotations.some(({ key, value }) => saysInternal(key, value.text ?? ''))
      const isOpen =
        type?.text === 'LoadBalancer' &&
        !isInternal &&
        object.node.at('spec', 'loadBalancerSourceRanges') === null
      if (isOpen || type?.text === 'NodePort')
        report({ message: `It is of the type ${type.text}.`, place: type.place, resource: object.resource })
    }
  },
})

/** Each cloud has an annotation of its own: `…-load-balancer-internal: "true"`, `…/load-balancer-type: Internal`. */
function saysInternal(key: string, value: string): boolean {
  if (/internal/.test(key)) return !/^(?:false|0\.0\.0\.0\/0)$/i.test(value)
  return /load-balancer-(?:type|scheme)$/.test(key) && /^internal$/i.test(value)
}

const ingress = (...more: string[]) =>
  [
    'apiVersion: networking.k8s.io/v1',
    'kind: Ingress',
    'metadata: { name: web }',
    'spec:',
    ...more,
    '  rules:',
    '    - host: shop.example',
    '      http:',
    '        paths: [{ path: /, pathType: Prefix, backend: { service: { name: web, port: { number: 80 } } } }]',
    '',
  ].join('\n')

export const ingressWithoutTls = defineRule({
  id: 'kubernetes.ingress-without-tls',
  title: 'An Ingress takes requests without TLS',
  severity: 'warn',
  confidence: 'likely',
  hint: 'Add tls: with the hosts and the Secret of the certificate; cert-manager keeps it new.',
  references: ['https://kubernetes.io/docs/concepts/services-networking/ingress/#tls'],
  docs: {
    ...docs,
    what: 'Finds Ingresses without `tls` and without an annotation that speaks of certificates; those of local names are passed over.',
    why: 'Passwords and sessions go over the wire for all to read.',
    bad: ingress(),
    good: ingress('  tls: [{ hosts: [shop.example], secretName: shop-tls }]'),
  },
  needs,
  check({ facts, report }) {
    for (const object of objectsOf(facts.manifests, 'Ingress')) {
      const spec = object.node.entry('spec')
      const annotations = [...(object.node.at('metadata', 'annotations')?.entries() ?? [])]
      if (spec === null || spec.value.at('tls') !== null) continue
      if (annotations.some(({ key }) => /tls|ssl|cert|https|cloudflare/i.test(key))) continue
      const hosts = (spec.value.at('rules')?.items() ?? []).flatMap((rule) => rule.at('host')?.text ?? [])
      if (
        hosts.length > 0 &&
        hosts.every((host) => /(?:^|\.)(?:localhost|local|test|internal|nip\.io)$/.test(host))
      )
        continue
      report({ message: 'It has no tls.', place: spec.keyPlace, resource: object.resource })
    }
  },
})

export const networkPolicyMissing = defineRule({
  id: 'kubernetes.network-policy-missing',
  title: 'Every pod of the cluster reaches these pods',
  severity: 'info',
  confidence: 'likely',
  hint: 'Add a NetworkPolicy that lets in the proxy alone, and one that denies the rest.',
  references: ['CKV2_K8S_6', 'KSV-0038', 'non-isolated-pod'],
  docs: {
    ...docs,
    what: 'Finds projects whose manifests run workloads and have no NetworkPolicy at all; one finding for all of them.',
    why: 'Whoever breaks into one pod asks the databases of all others.',
    bad: 'apiVersion: v1\nkind: Pod\nmetadata: { name: web }\nspec: { containers: [{ name: web, image: "shop:1.4" }] }\n',
    good: 'apiVersion: v1\nkind: Pod\nmetadata: { name: web }\nspec: { containers: [{ name: web, image: "shop:1.4" }] }\n---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: web }\nspec: { podSelector: {} }\n',
  },
  needs,
  check({ facts, report }) {
    const { objects } = facts.manifests
    // Those of Cilium and Calico are kinds of their own.
    if (objects.some(({ kind }) => /NetworkPolicy$/.test(kind))) return
    const first = objects.find(({ pods, isPartial }) => pods !== null && !isPartial)
    if (first !== undefined)
      report({ message: 'No manifest is a NetworkPolicy.', place: first.place, resource: first.resource })
  },
})
