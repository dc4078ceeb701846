import { composeFiles, defineRule } from '@havn/checklist'
import { allServices, isDevelopment, productionServices, wholeServices } from '../walk.ts'

const docs = { language: 'yaml' }
const needs = { composeFiles }

export const privileged = defineRule({
  id: 'compose.privileged',
  title: 'A container is privileged',
  severity: 'error',
  confidence: 'certain',
  hint: 'Take it out, and give the one capability or device that is needed (cap_add, devices).',
  references: ['KICS ae5b6871', 'CIS Docker 5.5'],
  docs: {
    ...docs,
    what: 'Finds `privileged: true`. A note in files for development.',
    why: 'Root in the container is root of the host: it can mount its disks and load modules into its kernel.',
    bad: 'services:\n  web:\n    image: shop:1.4\n    privileged: true\n',
    good: 'services:\n  web:\n    image: shop:1.4\n',
  },
  needs,
  check({ facts, report }) {
    for (const service of allServices(facts.composeFiles)) {
      const found = service.node.entry('privileged')
      if (found?.value.boolean !== true) continue
      const severity = isDevelopment(service) ? ('info' as const) : undefined
      report({ message: 'It is privileged.', place: found.keyPlace, resource: service.resource, severity })
    }
  },
})

/** Each of them is as good as root of the host, or near it. */
const DANGEROUS =
  /^(?:CAP_)?(?:ALL|SYS_ADMIN|SYS_MODULE|SYS_RAWIO|SYS_PTRACE|SYS_BOOT|DAC_READ_SEARCH|BPF|MAC_ADMIN|SYSLOG)$/i

export const capabilityAdded = defineRule({
  id: 'compose.capability-added',
  title: 'A container gets a capability that leads to the host',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Take it out; if a tool needs it, keep that tool in a service of its own that no user can reach.',
  references: ['KICS ce76b7d0', 'CIS Docker 5.4'],
  docs: {
    ...docs,
    what: 'Finds `cap_add` of ALL, SYS_ADMIN, SYS_MODULE, SYS_PTRACE, SYS_RAWIO, DAC_READ_SEARCH and the like.',
    why: 'Ways out of a container with these are written down in many places.',
    bad: 'services:\n  web:\n    image: shop:1.4\n    cap_add: [SYS_ADMIN]\n',
    good: 'services:\n  web:\n    image: shop:1.4\n    cap_drop: [ALL]\n    cap_add: [NET_BIND_SERVICE]\n',
  },
  needs,
  check({ facts, report }) {
    for (const { node, resource } of productionServices(facts.composeFiles))
      for (const { text, place } of node.at('cap_add')?.items() ?? [])
        if (DANGEROUS.test(text ?? '')) report({ message: `It gets ${text}.`, place, resource })
  },
})

export const capabilitiesKept = defineRule({
  id: 'compose.capabilities-kept',
  title: 'A container keeps capabilities that it does not need',
  severity: 'info',
  confidence: 'certain',
  hint: 'Write cap_drop: [ALL], and add the few that the program wants.',
  references: ['KICS ce76b7d0', 'CIS Docker 5.4'],
  docs: {
    ...docs,
    what: 'Finds services that do not drop all capabilities.',
    why: 'Docker leaves 14 of them to each container, such as to change owners and to send raw packets; a web app needs none.',
    bad: 'services:\n  web:\n    image: shop:1.4\n',
    good: 'services:\n  web:\n    image: shop:1.4\n    cap_drop: [ALL]\n',
  },
  needs,
  check({ facts, report }) {
    for (const service of wholeServices(facts.composeFiles)) {
      if (service.hasAnywhere('cap_drop') || service.hasAnywhere('privileged')) continue
      report({ message: 'It drops no capabilities.', place: service.place, resource: service.resource })
    }
  },
})

export const newPrivileges = defineRule({
  id: 'compose.new-privileges',
  title: 'A process can gain privileges in the container',
  severity: 'info',
  confidence: 'certain',
  hint: 'Write security_opt: ["no-new-privileges:true"].',
  references: ['KICS 27fcc7d6', 'KICS 610e266e', 'CIS Docker 5.26'],
  docs: {
    ...docs,
    what: 'Finds services without `no-new-privileges` in `security_opt`.',
    why: 'A file with the setuid bit in the image makes root of whoever breaks into the app.',
    bad: 'services:\n  web:\n    image: shop:1.4\n',
    good: 'services:\n  web:\n    image: shop:1.4\n    security_opt: ["no-new-privileges:true"]\n',
  },
  needs,
  check({ facts, report }) {
    const isSet = (text: string | null) => /^no-new-privileges(?:[:=]true)?$/.test(text ?? '')
    for (const service of wholeServices(facts.composeFiles)) {
      const options = [service, ...service.overlays].flatMap(
        (each) => each.setting('security_opt')?.value.items() ?? [],
      )
      if (options.some(({ text }) => isSet(text))) continue
      const off = options.find(({ text }) => /^no-new-privileges[:=]/.test(text ?? ''))
      report({
        message: off === undefined ? 'It does not set no-new-privileges.' : `${off.text} is set.`,
        place: off?.place ?? service.setting('security_opt')?.keyPlace ?? service.place,
        resource: service.resource,
      })
    }
  },
})

export const unconfined = defineRule({
  id: 'compose.unconfined',
  title: 'A guard of the kernel is switched off',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Take it out, or name a profile that allows the one call that is needed.',
  references: ['KICS 404fde2c', 'CIS Docker 5.22'],
  docs: {
    ...docs,
    what: 'Finds `seccomp:unconfined`, `apparmor:unconfined` and `label:disable` in `security_opt`.',
    why: 'The container may call all of the kernel, holes included that the default profile keeps out of reach.',
    bad: 'services:\n  web:\n    image: shop:1.4\n    security_opt: ["seccomp:unconfined"]\n',
    good: 'services:\n  web:\n    image: shop:1.4\n    security_opt: ["no-new-privileges:true"]\n',
  },
  needs,
  check({ facts, report }) {
    for (const { node, resource } of productionServices(facts.composeFiles))
      for (const { text, place } of node.at('security_opt')?.items() ?? [])
        if (/^(?:seccomp|apparmor|systempaths)[:=]unconfined$|^label[:=]disable$/.test(text ?? ''))
          report({ message: `${text} is set.`, place, resource })
  },
})

export const userRoot = defineRule({
  id: 'compose.user-root',
  title: 'A container is made to run as root',
  severity: 'warn',
  confidence: 'certain',
  hint: "Take it out, so that the image's own user runs it; give that user the files that it has to write.",
  references: ['CIS Docker 4.1'],
  docs: {
    ...docs,
    what: 'Finds `user: root` and `user: 0`.',
    why: 'Whoever breaks into the app is root in the container, one kernel bug or one wrong mount away from the host.',
    bad: 'services:\n  web:\n    image: shop:1.4\n    user: root\n',
    good: 'services:\n  web:\n    image: shop:1.4\n    user: "10001"\n',
  },
  needs,
  check({ facts, report }) {
    for (const { node, resource } of productionServices(facts.composeFiles)) {
      const user = node.at('user')
      if (user !== null && /^(?:root|0)(?::|$)/.test(user.text ?? ''))
        report({ message: `It runs as ${user.text}.`, place: user.place, resource })
    }
  },
})

export const rootWritable = defineRule({
  id: 'compose.root-writable',
  title: "A container's own files can be written",
  severity: 'info',
  confidence: 'possible',
  hint: 'Write read_only: true, and tmpfs: [/tmp] for what it does write.',
  references: ['CIS Docker 5.13'],
  docs: {
    ...docs,
    what: 'Finds services without `read_only: true`. Only in the profile `strict`.',
    why: 'Whoever breaks in can change the program and leave tools behind.',
    bad: 'services:\n  web:\n    image: shop:1.4\n',
    good: 'services:\n  web:\n    image: shop:1.4\n    read_only: true\n    tmpfs: [/tmp]\n',
  },
  needs,
  check({ facts, report }) {
    for (const service of wholeServices(facts.composeFiles))
      if (!service.hasAnywhere('read_only'))
        report({
          message: 'Its root file system is writable.',
          place: service.place,
          resource: service.resource,
        })
  },
})

export const hostNetwork = defineRule({
  id: 'compose.host-network',
  title: "A container is in the host's network",
  severity: 'warn',
  confidence: 'certain',
  hint: 'Give it a network of its own, and publish the ports that it serves.',
  references: ['KICS 071a71ff', 'CIS Docker 5.10'],
  docs: {
    ...docs,
    what: 'Finds `network_mode: host`.',
    why: 'It reaches all that listens on the loopback of the host, such as databases without a password, and listens on all its addresses.',
    bad: 'services:\n  web:\n    image: shop:1.4\n    network_mode: host\n',
    good: 'services:\n  web:\n    image: shop:1.4\n    ports: ["127.0.0.1:8000:8000"]\n',
  },
  needs,
  check({ facts, report }) {
    for (const { node, resource } of productionServices(facts.composeFiles)) {
      const mode = node.at('network_mode')
      if (mode?.text === 'host') report({ message: 'network_mode is host.', place: mode.place, resource })
    }
  },
})

const NAMESPACES = ['pid', 'ipc', 'userns_mode', 'uts', 'cgroup'] as const

export const hostNamespace = defineRule({
  id: 'compose.host-namespace',
  title: 'A container shares a namespace with the host',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Take it out. Two containers can share one: pid: "service:web".',
  references: ['KICS 4f31dd9f', 'KICS baa3890f', 'KICS 8af7162d', 'CIS Docker 5.16'],
  docs: {
    ...docs,
    what: 'Finds `host` as `pid`, `ipc`, `userns_mode`, `uts` or `cgroup`.',
    why: 'It sees the processes of the host, with their environments, or their shared memory, or is its root.',
    bad: 'services:\n  web:\n    image: shop:1.4\n    pid: host\n',
    good: 'services:\n  web:\n    image: shop:1.4\n',
  },
  needs,
  check({ facts, report }) {
    for (const { node, resource } of productionServices(facts.composeFiles))
      for (const key of NAMESPACES) {
        const mode = node.at(key)
        if (mode?.text === 'host') report({ message: `${key} is host.`, place: mode.place, resource })
      }
  },
})
