import { defineRule, manifests } from '@havn/checklist'
import { deployment } from '../examples.ts'
import { workloadsOf } from '../walk.ts'

const docs = { language: 'yaml' }
const needs = { manifests }
const plain = deployment({})

export const hostNetwork = defineRule({
  id: 'kubernetes.host-network',
  title: "Pods are in the node's network",
  severity: 'warn',
  confidence: 'certain',
  hint: 'Take hostNetwork out, and put a Service before the pods.',
  references: ['CKV_K8S_19', 'KSV-0009', 'host-network'],
  docs: {
    ...docs,
    what: 'Finds `hostNetwork: true`; a note in a DaemonSet, where agents of the node need it.',
    why: 'They reach all that listens on the loopback of the node, such as its kubelet, and no NetworkPolicy is before them.',
    bad: deployment({ pod: ['hostNetwork: true'] }),
    good: plain,
  },
  needs,
  check({ facts, report }) {
    for (const { object, pods } of workloadsOf(facts.manifests)) {
      const found = pods.spec.at('hostNetwork')
      const severity = object.builtin === 'DaemonSet' ? ('info' as const) : undefined
      if (found?.boolean === true)
        report({ message: 'hostNetwork is on.', place: found.place, resource: object.resource, severity })
    }
  },
})

export const hostNamespace = defineRule({
  id: 'kubernetes.host-namespace',
  title: 'Pods share a namespace with their node',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Take it out; the containers of a pod can share one: shareProcessNamespace: true.',
  references: ['CKV_K8S_17', 'CKV_K8S_18', 'KSV-0008', 'KSV-0010', 'host-pid', 'host-ipc'],
  docs: {
    ...docs,
    what: 'Finds `hostPID: true` and `hostIPC: true`; a note in a DaemonSet, where agents of the node need it.',
    why: 'They see the processes of the node, with their environments and so their secrets, or their shared memory.',
    bad: deployment({ pod: ['hostPID: true'] }),
    good: plain,
  },
  needs,
  check({ facts, report }) {
    for (const { object, pods } of workloadsOf(facts.manifests))
      for (const key of ['hostPID', 'hostIPC']) {
        const found = pods.spec.at(key)
        const severity = object.builtin === 'DaemonSet' ? ('info' as const) : undefined
        if (found?.boolean === true)
          report({ message: `${key} is on.`, place: found.place, resource: object.resource, severity })
      }
  },
})

const SOCKET = /(?:^|\/)(?:docker|podman|crio|containerd)\.sock$/

export const containerSocket = defineRule({
  id: 'kubernetes.container-socket',
  title: "Pods have the socket of the node's runtime",
  severity: 'error',
  confidence: 'certain',
  hint: 'Build images without it (BuildKit rootless, buildah), and ask the API for what runs.',
  references: ['CKV_K8S_27', 'KSV-0006', 'docker-sock'],
  docs: {
    ...docs,
    what: 'Finds volumes of `docker.sock`, and of those of containerd, CRI-O and Podman.',
    why: 'Whoever can write to it is root of the node: it starts whatever container it is asked to.',
    bad: deployment({
      pod: ['volumes:', '  - name: docker', '    hostPath: { path: /var/run/docker.sock }'],
    }),
    good: plain,
  },
  needs,
  check({ facts, report }) {
    for (const { object, pods } of workloadsOf(facts.manifests))
      for (const { hostPath, hostPathPlace, place } of pods.volumes)
        if (SOCKET.test(hostPath ?? ''))
          report({
            message: `It has ${hostPath}.`,
            place: hostPathPlace ?? place,
            resource: object.resource,
            // Agents of the node that watch its containers.
            severity: object.builtin === 'DaemonSet' ? 'warn' : undefined,
          })
  },
})

const SENSITIVE =
  /^\/(?:$|(?:bin|boot|dev|etc|home|lib|lib64|proc|root|run|sbin|sys|usr|var|var\/run|var\/lib|var\/log|var\/lib\/(?:docker|kubelet|etcd|containerd)|etc\/(?:kubernetes|passwd|shadow|ssh))(?:\/.*)?$)/

export const hostPath = defineRule({
  id: 'kubernetes.host-path',
  title: 'Pods have a directory of their node',
  severity: 'info',
  confidence: 'certain',
  hint: 'Take a PersistentVolumeClaim for data, and an emptyDir for what need not last.',
  references: ['KSV-0023', 'sensitive-host-mounts', 'CIS Kubernetes 5.2.11'],
  docs: {
    ...docs,
    what: 'Finds volumes of `hostPath`; a warning for `/`, `/etc`, `/var/lib/kubelet`, `/root` and the like that can be written, other than in a DaemonSet.',
    why: 'Whoever breaks into the app changes the node, or reads its keys; and data stays behind when the pod moves to another node.',
    bad: deployment({ pod: ['volumes:', '  - name: keys', '    hostPath: { path: /etc/kubernetes }'] }),
    good: deployment({
      pod: ['volumes:', '  - name: data', '    persistentVolumeClaim: { claimName: web }'],
    }),
  },
  needs,
  check({ facts, report }) {
    for (const { object, pods } of workloadsOf(facts.manifests))
      for (const { name, hostPath: path, hostPathPlace, place } of pods.volumes) {
        if (path === null || SOCKET.test(path)) continue
        const all = [...pods.containers, ...pods.initContainers]
        const mounts = all.flatMap((each) => each.mounts.filter((mount) => mount.name === name))
        const isReadOnly = mounts.length > 0 && mounts.every((mount) => mount.isReadOnly)
        const isBad = isSensitive(path) && !isReadOnly && object.builtin !== 'DaemonSet'
        report({
          message: `It has ${path} of the node.`,
          place: hostPathPlace ?? place,
          resource: object.resource,
          severity: isBad ? 'warn' : undefined,
        })
      }
  },
})

function isSensitive(path: string): boolean {
  return path.length < 4_096 && SENSITIVE.test(path.replace(/(?<=.)\/+$/, ''))
}

/** https://kubernetes.io/docs/tasks/administer-cluster/sysctl-cluster/#safe-and-unsafe-sysctls */
const SAFE = new Set([
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_wmem',
])

export const unsafeSysctl = defineRule({
  id: 'kubernetes.unsafe-sysctl',
  title: 'Pods set a sysctl that nodes refuse',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Take it out, or have the kubelet allow it (--allowed-unsafe-sysctls).',
  references: ['KSV-0026', 'unsafe-sysctls'],
  docs: {
    ...docs,
    what: 'Finds `sysctls` that Kubernetes does not call safe.',
    why: 'A kubelet as it comes does not start the pod: SysctlForbidden.',
    bad: deployment({ pod: ['securityContext:', '  sysctls: [{ name: kernel.msgmax, value: "65536" }]'] }),
    good: deployment({
      pod: ['securityContext:', '  sysctls: [{ name: net.ipv4.tcp_fin_timeout, value: "30" }]'],
    }),
  },
  needs,
  check({ facts, report }) {
    for (const { object, pods } of workloadsOf(facts.manifests))
      for (const item of pods.spec.at('securityContext', 'sysctls')?.items() ?? []) {
        const name = item.at('name')
        if (name?.text != null && !SAFE.has(name.text))
          report({
            message: `${name.text} is not of the safe ones.`,
            place: name.place,
            resource: object.resource,
          })
      }
  },
})

export const tokenMounted = defineRule({
  id: 'kubernetes.token-mounted',
  title: 'Pods can speak to the API without a need',
  severity: 'info',
  confidence: 'likely',
  hint: 'Write automountServiceAccountToken: false.',
  references: ['CKV_K8S_38', 'KSV-0036'],
  docs: {
    ...docs,
    what: 'Finds pods of the default service account that do not switch its token off.',
    why: 'Whoever breaks into the app has a token for the API of the cluster.',
    bad: plain,
    good: deployment({ pod: ['automountServiceAccountToken: false'] }),
  },
  needs,
  check({ facts, report }) {
    for (const { object, pods } of workloadsOf(facts.manifests)) {
      const isDefault = (pods.serviceAccountName ?? 'default') === 'default'
      if (isDefault && pods.spec.at('automountServiceAccountToken')?.boolean !== false)
        report({
          message: 'They get the token of the default account.',
          place: object.place,
          resource: object.resource,
        })
    }
  },
})

export const defaultServiceAccount = defineRule({
  id: 'kubernetes.default-service-account',
  title: 'Pods use the default service account and speak to the API',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Make a ServiceAccount of their own, with the one Role that they need.',
  references: ['CKV_K8S_41', 'CKV_K8S_42', 'KSV-0036', 'default-service-account'],
  docs: {
    ...docs,
    what: 'Finds pods that ask for the token of the default account by name, and roles that are bound to it.',
    why: 'All pods of the namespace share what it may do.',
    bad: deployment({ pod: ['serviceAccountName: default', 'automountServiceAccountToken: true'] }),
    good: deployment({ pod: ['serviceAccountName: web'] }),
  },
  needs,
  check({ facts, report }) {
    for (const { object, pods } of workloadsOf(facts.manifests)) {
      const token = pods.spec.at('automountServiceAccountToken')
      if (token?.boolean === true && (pods.serviceAccountName ?? 'default') === 'default')
        report({
          message: 'They ask for the token of the default account.',
          place: token.place,
          resource: object.resource,
        })
    }
    for (const object of facts.manifests.objects) {
      if (object.builtin !== 'RoleBinding' && object.builtin !== 'ClusterRoleBinding') continue
      for (const subject of object.node.at('subjects')?.items() ?? []) {
        const name = subject.at('name')
        if (subject.at('kind')?.text === 'ServiceAccount' && name?.text === 'default')
          report({
            message: 'A role is bound to the default account.',
            place: name.place,
            resource: object.resource,
          })
      }
    }
  },
})
