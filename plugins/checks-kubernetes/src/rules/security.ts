import { containerRule, when } from '../container-rule.ts'
import { securityOf } from '../walk.ts'

export const privileged = containerRule({
  id: 'kubernetes.privileged',
  title: 'A container is privileged',
  severity: 'error',
  hint: 'Take it out, and give the one capability that is needed.',
  references: ['CKV_K8S_16', 'KSV-0017', 'privileged-container'],
  what: 'Finds `privileged: true`; a warning in a DaemonSet, where agents of the node need it.',
  why: 'Root in the container is root of the node, with its disks, its kernel and the secrets of all its pods.',
  bad: { container: ['image: shop:1.4', 'securityContext: { privileged: true }'] },
  good: { container: ['image: shop:1.4', 'securityContext: { privileged: false }'] },
  check({ container, object }) {
    // Agents of the node, of storage and networks, are made so.
    const found = container.node.at('securityContext', 'privileged')
    return when(
      found?.boolean === true,
      `${container.name} is privileged.`,
      found?.place,
      object.builtin === 'DaemonSet' ? 'warn' : undefined,
    )
  },
})

export const runAsRoot = containerRule({
  id: 'kubernetes.run-as-root',
  title: 'A container is made to run as root',
  severity: 'warn',
  hint: 'Name a user of its own: runAsUser: 10001.',
  references: ['CKV_K8S_23', 'KSV-0012', 'run-as-non-root'],
  what: 'Finds `runAsUser: 0`.',
  why: 'Whoever breaks into the app is root in the container, one kernel bug or one wrong mount away from the node.',
  bad: { container: ['image: shop:1.4', 'securityContext: { runAsUser: 0 }'] },
  good: { container: ['image: shop:1.4', 'securityContext: { runAsUser: 10001 }'] },
  check(each) {
    const user = securityOf(each, 'runAsUser')
    const severity = each.isInit ? ('info' as const) : undefined
    return when(user?.number === 0, `${each.container.name} runs as root.`, user?.place, severity)
  },
})

export const nonRootMissing = containerRule({
  id: 'kubernetes.non-root-missing',
  title: 'A container may run as root',
  severity: 'warn',
  confidence: 'likely',
  hint: 'Write securityContext: { runAsNonRoot: true }, and give the image a user with a number.',
  references: ['CKV_K8S_23', 'CKV_K8S_40', 'KSV-0012', 'run-as-non-root'],
  what: 'Finds containers without `runAsNonRoot: true` and without a user other than root, of themselves or their pod.',
  why: 'It runs as what the image says, which is root where nobody thought of it.',
  bad: { container: ['image: shop:1.4'] },
  good: { container: ['image: shop:1.4', 'securityContext: { runAsNonRoot: true }'] },
  check(each) {
    if (each.isInit || securityOf(each, 'runAsNonRoot')?.boolean === true) return []
    // A user is named: another one than root, or root, for which there is a rule of its own.
    return when(securityOf(each, 'runAsUser') === null, `${each.container.name} may run as root.`)
  },
})

export const privilegeEscalation = containerRule({
  id: 'kubernetes.privilege-escalation',
  title: 'A process can gain privileges in the container',
  severity: 'warn',
  hint: 'Write securityContext: { allowPrivilegeEscalation: false }.',
  references: ['CKV_K8S_20', 'KSV-0001', 'privilege-escalation-container'],
  what: 'Finds containers that allow it; a note where nothing is said.',
  why: 'A file with the setuid bit in the image makes root of whoever breaks into the app.',
  bad: { container: ['image: shop:1.4', 'securityContext: { allowPrivilegeEscalation: true }'] },
  good: { container: ['image: shop:1.4', 'securityContext: { allowPrivilegeEscalation: false }'] },
  check({ container }) {
    const found = container.node.at('securityContext', 'allowPrivilegeEscalation')
    if (found?.boolean === false) return []
    return found === null
      ? [{ message: `${container.name} does not forbid it.`, severity: 'info' }]
      : [{ message: `${container.name} allows it.`, place: found.place }]
  },
})

export const rootWritable = containerRule({
  id: 'kubernetes.root-writable',
  title: "A container's own files can be written",
  severity: 'info',
  hint: 'Write readOnlyRootFilesystem: true, and mount an emptyDir at /tmp for what it does write.',
  references: ['CKV_K8S_22', 'KSV-0014', 'no-read-only-root-fs'],
  what: 'Finds containers without `readOnlyRootFilesystem: true`.',
  why: 'Whoever breaks in can change the program and leave tools behind; and logs fill the disk of the node.',
  bad: { container: ['image: shop:1.4'] },
  good: { container: ['image: shop:1.4', 'securityContext: { readOnlyRootFilesystem: true }'] },
  check({ container }) {
    const found = container.node.at('securityContext', 'readOnlyRootFilesystem')
    return when(
      found?.boolean !== true,
      `The root file system of ${container.name} is writable.`,
      found?.place,
    )
  },
})

export const capabilitiesKept = containerRule({
  id: 'kubernetes.capabilities-kept',
  title: 'A container keeps capabilities that it does not need',
  severity: 'info',
  hint: 'Write capabilities: { drop: [ALL] }, and add the few that the program wants.',
  references: ['CKV_K8S_37', 'CKV_K8S_28', 'KSV-0003', 'drop-net-raw-capability'],
  what: 'Finds containers that do not drop all capabilities.',
  why: 'The runtime leaves 14 of them to each container, such as to send raw packets; a web app needs none.',
  bad: { container: ['image: shop:1.4'] },
  good: { container: ['image: shop:1.4', 'securityContext: { capabilities: { drop: [ALL] } }'] },
  check({ container }) {
    const drop = container.node.at('securityContext', 'capabilities', 'drop')
    const dropsAll = drop?.items().some(({ text }) => text?.toUpperCase() === 'ALL') === true
    return when(!dropsAll, `${container.name} does not drop all.`, drop?.place)
  },
})

const DANGEROUS =
  /^(?:CAP_)?(?:ALL|SYS_ADMIN|SYS_MODULE|SYS_RAWIO|SYS_PTRACE|SYS_BOOT|DAC_READ_SEARCH|BPF|MAC_ADMIN|SYSLOG)$/i

/** Ports below 1024, which web servers are given. */
const HARMLESS = /^(?:CAP_)?NET_BIND_SERVICE$/i

export const capabilityAdded = containerRule({
  id: 'kubernetes.capability-added',
  title: 'A container gets a capability that may lead to the node',
  severity: 'warn',
  hint: 'Take it out; if a tool needs it, keep that tool in a pod of its own that no user can reach.',
  references: ['CKV_K8S_25', 'CKV_K8S_39', 'KSV-0005', 'KSV-0022'],
  what: 'Finds `capabilities.add` of ALL, SYS_ADMIN, SYS_MODULE, SYS_PTRACE, SYS_RAWIO, DAC_READ_SEARCH and the like; a note for all others but NET_BIND_SERVICE.',
  why: 'Ways out of a container with these are written down in many places.',
  bad: { container: ['image: shop:1.4', 'securityContext: { capabilities: { add: [SYS_ADMIN] } }'] },
  good: { container: ['image: shop:1.4', 'securityContext: { capabilities: { add: [NET_BIND_SERVICE] } }'] },
  check({ container }) {
    const added = container.node.at('securityContext', 'capabilities', 'add')?.items() ?? []
    return added.flatMap(({ text, place }) =>
      when(
        text !== null && !HARMLESS.test(text),
        `${container.name} gets ${text}.`,
        place,
        DANGEROUS.test(text ?? '') ? undefined : 'info',
      ),
    )
  },
})

export const seccompMissing = containerRule({
  id: 'kubernetes.seccomp-missing',
  title: 'A container may call all of the kernel',
  severity: 'info',
  hint: 'Write seccompProfile: { type: RuntimeDefault } in the security context of the pod.',
  references: ['CKV_K8S_31', 'KSV-0030', 'KSV-0104'],
  what: 'Finds containers without a seccomp profile, of themselves or their pod; a warning where it is `Unconfined`.',
  why: 'Kubernetes switches off the filter that Docker has: holes in rarely used calls are in reach.',
  bad: { container: ['image: shop:1.4'] },
  good: {
    container: ['image: shop:1.4'],
    pod: ['securityContext: { seccompProfile: { type: RuntimeDefault } }'],
  },
  check(each) {
    const profile = securityOf(each, 'seccompProfile', 'type')
    if (profile?.text === 'Unconfined')
      return [{ message: `${each.container.name} is unconfined.`, place: profile.place, severity: 'warn' }]
    return when(profile === null, `${each.container.name} has no seccomp profile.`)
  },
})

export const hostPort = containerRule({
  id: 'kubernetes.host-port',
  title: 'A container takes a port of its node',
  severity: 'warn',
  hint: 'Take hostPort out, and put a Service before the pods.',
  references: ['CKV_K8S_26', 'KSV-0024'],
  what: 'Finds `hostPort`, other than in a DaemonSet, which has one pod on each node.',
  why: 'Two such pods cannot be on one node: a rollout waits for a free one, and no NetworkPolicy is before the port.',
  bad: { container: ['image: shop:1.4', 'ports: [{ containerPort: 8000, hostPort: 80 }]'] },
  good: { container: ['image: shop:1.4', 'ports: [{ containerPort: 8000 }]'] },
  check({ container, object }) {
    if (object.builtin === 'DaemonSet') return []
    return container.ports.flatMap(({ hostPort: port, place }) =>
      when(port !== null && port > 0, `${container.name} takes port ${port}.`, place),
    )
  },
})
