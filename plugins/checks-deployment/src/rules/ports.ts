import {
  argOf,
  bindsOf,
  defineRule,
  directivesOf,
  instructionsOfStage,
  manifests,
  nginxConfigs,
} from '@havn/checklist'
import type { KubernetesObject, NginxConfig, NginxWord, ServerBind } from '@havn/checklist'
import type { SourcePlace } from '@havn/plugin-api'
import { knownBindsOf } from '../binds.ts'
import type { Workload } from '../workload.ts'
import { workloads } from '../workloads-fact.ts'

export const servicePort = defineRule({
  id: 'deployment.service-port-unserved',
  title: 'A Kubernetes service leads to a port that its servers do not bind',
  severity: 'error',
  confidence: 'likely',
  hint: 'Set targetPort to the port that the server binds.',
  references: ['https://kubernetes.io/docs/concepts/services-networking/service/#field-spec-ports'],
  docs: {
    what: 'Follows `targetPort` of services to the pods that they select, and compares it with what the servers there bind, whatever ports the containers list.',
    why: 'Connections are refused: containerPort is for people to read, and opens nothing.',
    bad: 'kind: Service\nspec:\n  selector: { app: web }\n  ports: [{ port: 80, targetPort: 80 }]\n---\nkind: Deployment\n# args: [gunicorn, shop.wsgi, --bind, "0.0.0.0:8000"]\n',
    good: 'kind: Service\nspec:\n  selector: { app: web }\n  ports: [{ port: 80, targetPort: 8000 }]\n---\nkind: Deployment\n# args: [gunicorn, shop.wsgi, --bind, "0.0.0.0:8000"]\n',
    language: 'yaml',
  },
  needs: { workloads, manifests },
  check({ facts, report }) {
    for (const service of facts.manifests.objects.filter(({ builtin }) => builtin === 'Service'))
      for (const { object, ports, binds } of podsBehind(service, facts.manifests.objects, facts.workloads))
        for (const item of service.node.at('spec', 'ports')?.items() ?? []) {
          const target = item.at('targetPort') ?? item.at('port')
          const named = ports.find(({ name }) => name !== null && name === target?.text)
          const port = target?.number ?? named?.containerPort ?? null
          const isTcp = (item.at('protocol')?.text ?? 'TCP') === 'TCP'
          if (target === null || port === null || !isTcp || binds.some((bind) => bind.port === port)) continue
          // Ports that the containers list, and those that they do not: other rules tell of both.
          const isListed = ports.some(({ containerPort }) => containerPort === port)
          const isOneListed = ports.some(({ containerPort }) =>
            binds.some((bind) => bind.port === containerPort),
          )
          if (ports.length > 0 && isListed !== isOneListed) continue
          report({
            message: `It leads to port ${port}; the server binds ${portsOf(binds)}.`,
            place: target.place,
            resource: service.resource,
            related: [{ message: `what ${object.resource} binds`, place: binds[0]!.place }],
          })
        }
  },
})

/** The pods that a service selects, whose servers are all known. */
function podsBehind(
  service: KubernetesObject,
  objects: readonly KubernetesObject[],
  all: readonly Workload[],
) {
  const selector = [...(service.node.at('spec', 'selector')?.entries() ?? [])]
  if (selector.length === 0) return []
  return objects.flatMap((object) => {
    const { pods } = object
    if (
      pods === null ||
      object.namespace !== service.namespace ||
      !selector.every(({ key, value }) => pods.labels.get(key) === value.text)
    )
      return []
    const binds = pods.containers.map((container) =>
      knownBindsOf(
        all.flatMap(({ commands }) => commands.filter(({ origin }) => origin.pod?.container === container)),
      ),
    )
    if (binds.length === 0 || binds.some((each) => each === null)) return []
    return [
      { object, ports: pods.containers.flatMap(({ ports }) => ports), binds: binds.flatMap((each) => each!) },
    ]
  })
}

function portsOf(binds: readonly ServerBind[]): string {
  return [...new Set(binds.map(({ port }) => port))].join(', ')
}

export const proxyTarget = defineRule({
  id: 'deployment.proxy-port-unserved',
  title: 'nginx leads to a port that the service does not bind',
  severity: 'error',
  confidence: 'likely',
  hint: 'Lead to the port that the server binds; ports that compose maps are for the host.',
  references: ['https://nginx.org/en/docs/http/ngx_http_upstream_module.html#server'],
  docs: {
    what: 'Compares the ports in `proxy_pass`, `uwsgi_pass` and `server` of upstreams with those that the compose service of this name binds.',
    why: 'Every request ends in a 502.',
    bad: '# compose.yaml: services.web runs gunicorn --bind 0.0.0.0:8000\nupstream app {\n  server web:80;\n}\n',
    good: '# compose.yaml: services.web runs gunicorn --bind 0.0.0.0:8000\nupstream app {\n  server web:8000;\n}\n',
    language: 'nginx',
  },
  needs: { workloads, nginxConfigs },
  check({ facts, report }) {
    for (const config of facts.nginxConfigs)
      for (const { host, port, place } of config.isDevelopment ? [] : targetsOf(config)) {
        const named = facts.workloads.filter(
          ({ kind, resource }) => kind === 'compose' && resource === `services.${host}`,
        )
        const all = named.map(({ commands }) => knownBindsOf(commands))
        if (all.length === 0 || all.some((binds) => binds === null)) continue
        const binds = all.flatMap((each) => each!)
        if (binds.some((bind) => bind.port === port)) continue
        report({
          message: `It leads to ${host}:${port}; the server there binds ${portsOf(binds)}.`,
          place,
          related: [{ message: 'what it binds', place: binds[0]!.place }],
        })
      }
  },
})

const PASS = /^(?:proxy|uwsgi|grpc|fastcgi|scgi)_pass$/

/** Hosts and ports that nginx leads to, save names of its own upstreams. */
function targetsOf(config: NginxConfig): { host: string; port: number; place: SourcePlace }[] {
  const directives = directivesOf(config.directives)
  const upstreams = new Set(directives.filter(({ name }) => name === 'upstream').map(argOf))
  return directives.flatMap(({ name, args, parent }) => {
    const isServer = name === 'server' && parent?.name === 'upstream'
    const [word] = args as [NginxWord?]
    if (word === undefined || (!isServer && !PASS.test(name))) return []
    const match = /^(?:(https?|grpcs?):\/\/)?([\w-]+)(?::(\d{1,5}))?(?:\/.*)?$/.exec(word.text)
    if (match === null || (!isServer && upstreams.has(match[2]!))) return []
    // Without a port the proxies of other protocols have none.
    if (match[3] === undefined && !isServer && name !== 'proxy_pass') return []
    const port = match[3] === undefined ? (match[1] === 'https' ? 443 : 80) : Number(match[3])
    return [{ host: match[2]!, port, place: word.place }]
  })
}

/** Of ports below it, a process needs a capability: the kernel's own, which container engines lower for their networks. */
const FIRST_FREE_PORT = 1024

export const privilegedPort = defineRule({
  id: 'deployment.privileged-port',
  title: 'The server may not bind its port without root',
  severity: 'info',
  confidence: 'likely',
  hint: 'Bind a port from 1024 on (and leave 80 to the service, or to ports of compose), or set the sysctl net.ipv4.ip_unprivileged_port_start to 0.',
  references: [
    'https://docs.kernel.org/networking/ip-sysctl.html',
    'https://github.com/kubernetes/kubernetes/issues/102612',
  ],
  docs: {
    what: 'Finds servers that bind a port below 1024 as another user than root, where the kernel refuses it: in the network of the host (a warning), and in pods on containerd before 2.0 or CRI-O, which do not lower net.ipv4.ip_unprivileged_port_start as Docker does.',
    why: 'The server ends as soon as it starts, “Permission denied”, on one machine and not on the other. A capability that is added goes to root alone.',
    bad: 'containers:\n  - name: web\n    image: shop:1\n    args: [gunicorn, shop.wsgi, --bind, "0.0.0.0:80"]\n    securityContext: { runAsUser: 1000 }\n',
    good: 'containers:\n  - name: web\n    image: shop:1\n    args: [gunicorn, shop.wsgi, --bind, "0.0.0.0:8000"]\n    securityContext: { runAsUser: 1000 }\n',
    language: 'yaml',
  },
  needs: { workloads },
  check({ facts, report }) {
    for (const workload of facts.workloads) {
      const user = userOf(workload)
      const network = networkOf(workload)
      if (user === null || network === null || hasFileCapabilities(workload)) continue
      const low = workload.commands
        .flatMap(bindsOf)
        .find(({ port }) => port !== null && port > 0 && port < FIRST_FREE_PORT)
      if (low === undefined) continue
      report({
        message: `It binds port ${low.port} as ${user.text}.`,
        place: low.place,
        ...(workload.resource !== null && { resource: workload.resource }),
        ...(network === 'host' && { severity: 'warn' as const }),
        related: [{ message: 'the user', place: user.place }],
      })
    }
  },
})

/** Who a container runs as, where that is certainly not root; null otherwise. */
function userOf({ made, commands }: Workload): { text: string; place: SourcePlace } | null {
  const pod = commands[0]?.origin.pod ?? null
  const user =
    pod === null
      ? made.service?.setting('user')?.value
      : (pod.container.node.at('securityContext', 'runAsUser') ??
        pod.object.pods?.spec.at('securityContext', 'runAsUser'))
  const nonRoot =
    pod?.container.node.at('securityContext', 'runAsNonRoot') ??
    pod?.object.pods?.spec.at('securityContext', 'runAsNonRoot')
  const said = instructionsOfStage(made.stage).findLast(({ keyword }) => keyword === 'USER')
  const word = said?.words[0]
  if (user?.text != null) return isRoot(user.text) ? null : { text: user.text, place: user.place }
  if (word !== undefined) return isRoot(word.text) ? null : word
  return nonRoot?.boolean === true ? { text: 'another user than root', place: nonRoot.place } : null
}

function isRoot(user: string): boolean {
  // A variable may be root.
  return /^(?:root|0)(?::|$)|\$/.test(user)
}

/** Where the kernel's own limit holds: the host's network, or a pod's; null where the engine lowers it. */
function networkOf({ kind, made, commands }: Workload): 'host' | 'pod' | null {
  if (kind === 'image') return null
  if (kind === 'compose') return made.service?.setting('network_mode')?.value.text === 'host' ? 'host' : null
  const pods = commands[0]?.origin.pod?.object.pods
  if (pods == null) return null
  const sysctls = pods.spec.at('securityContext', 'sysctls')?.items() ?? []
  if (sysctls.some((each) => each.at('name')?.text === 'net.ipv4.ip_unprivileged_port_start')) return null
  return pods.hostNetwork ? 'host' : 'pod'
}

/** `setcap cap_net_bind_service=+ep` lets a program bind any port. */
function hasFileCapabilities({ made }: Workload): boolean {
  return instructionsOfStage(made.stage).some(({ rest }) => /\bsetcap\b/.test(rest.text))
}
