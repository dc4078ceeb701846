import { bindsOf, defineRule, djangoSettings, instructionsOfStage, isLoopback } from '@havn/checklist'
import type { CheckRule } from '@havn/plugin-api'
import { knownBindsOf } from '../binds.ts'
import { allowedHosts, choosesSettings, isAllowed, listOf, onlyProject, serving } from '../django.ts'
import { workloads } from '../workloads-fact.ts'

export const probeHost = defineRule({
  id: 'deployment.probe-host-refused',
  title: 'Django refuses the probe',
  severity: 'error',
  confidence: 'likely',
  hint: 'Give the probe a Host header that ALLOWED_HOSTS has, or answer it before CommonMiddleware does.',
  references: [
    'https://docs.djangoproject.com/en/5.2/ref/settings/#allowed-hosts',
    'https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/#http-probes',
  ],
  docs: {
    what: 'Compares the Host header of probes and health checks with ALLOWED_HOSTS, as the settings have it, or the variable that a service, a container or a ConfigMap gives them. Kubernetes sends the pod’s address where none is given, curl the name in its URL.',
    why: 'Django answers 400, the container is taken for dead, and is killed again and again.',
    bad: '# settings.py: ALLOWED_HOSTS = ["shop.test"]\nreadinessProbe:\n  httpGet: { path: /health, port: 8000 }\n',
    good: '# settings.py: ALLOWED_HOSTS = ["shop.test"]\nreadinessProbe:\n  httpGet:\n    path: /health\n    port: 8000\n    httpHeaders: [{ name: Host, value: shop.test }]\n',
    language: 'yaml',
  },
  needs: { workloads, djangoSettings },
  check({ facts, report }) {
    const project = onlyProject(facts.djangoSettings)
    if (project === null) return
    // What answers before the host is looked at, nobody sees here.
    const middleware = listOf(project.setting('MIDDLEWARE')) ?? []
    if (middleware.some((each) => /health|probe|ready|live|heartbeat|dockerflow|watchman/i.test(each))) return
    for (const workload of serving(facts.workloads, project)) {
      const { probes, resource, commands, environment } = workload
      const allowed = allowedHosts(project, workload)
      // With DEBUG on, an empty list is this machine: it is nobody's deployment.
      if (allowed === null || allowed.hosts.length === 0) continue
      if (allowed.hosts.includes('*') || choosesSettings(environment, project)) continue
      for (const { isHttp, host, place, port } of probes) {
        if (!isHttp || (host !== null && isAllowed(host, allowed.hosts))) continue
        // It asks something else in the container, such as a proxy.
        const ports = commands.flatMap(bindsOf).flatMap((bind) => bind.port ?? [])
        if (port !== null && ports.length > 0 && !ports.includes(port)) continue
        if (host !== null && /\$/.test(host)) continue
        report({
          message:
            host === null
              ? 'It sends the address of the pod, which ALLOWED_HOSTS does not have.'
              : `It asks for ${host}, which ALLOWED_HOSTS does not have.`,
          place,
          ...(resource !== null && { resource }),
          ...(allowed.place !== null && {
            related: [{ message: 'the hosts that Django takes', place: allowed.place }],
          }),
          confidence: allowed.confidence === 'certain' ? 'likely' : 'possible',
        })
      }
    }
  },
})

export const toolMissing = defineRule({
  id: 'deployment.health-tool-missing',
  title: 'The health check runs a program that its image lacks',
  severity: 'error',
  confidence: 'likely',
  hint: 'Install it, or ask with what is there: python -c, node -e.',
  references: ['https://docs.docker.com/reference/dockerfile/#healthcheck'],
  docs: {
    what: 'Finds health checks and probes with curl or wget in images that have neither by themselves, and whose Dockerfile does not install it.',
    why: 'The check fails always: the container is unhealthy, what depends on it never starts, and orchestrators kill it.',
    bad: '# Dockerfile: FROM python:3.13-slim\nhealthcheck:\n  test: ["CMD", "curl", "-f", "http://localhost:8000/"]\n',
    good: '# Dockerfile: FROM python:3.13-slim\nhealthcheck:\n  test: ["CMD", "python", "-c", "import urllib.request as r; r.urlopen(\'http://localhost:8000/\')"]\n',
    language: 'yaml',
  },
  needs: { workloads },
  check({ facts, report }) {
    for (const { probes, commands, resource } of facts.workloads) {
      const stage = commands.find(({ origin }) => origin.stage !== null)?.origin.stage
      if (stage == null) continue
      const text = instructionsOfStage(stage)
        .map(({ rest, heredocs }) => [rest.text, ...heredocs.map(({ body }) => body.text)].join('\n'))
        .join('\n')
      let base = stage
      while (base.base !== null) base = base.base
      for (const { programs, place } of probes)
        for (const program of programs) {
          if (
            !lacks(base.image, program) ||
            new RegExp(`\\b${program}\\b`).test(withoutHealth(text, program))
          )
            continue
          report({
            message: `${base.image} has no ${program}, and nothing installs it.`,
            place,
            ...(resource !== null && { resource }),
            related: [{ message: 'its image', place: base.from.place }],
          })
        }
    }
  },
})

/** Official images by the programs that they do not have. */
function lacks(image: string, program: string): boolean {
  const name = image.replace(/^docker\.io\//, '').replace(/^library\//, '')
  if (/^(?:python|node|debian|ubuntu)(?::|@|$)/.test(name) && /slim|^debian|^ubuntu/.test(name))
    return /^(?:curl|wget|nc)$/.test(program)
  if (/^(?:python|node)(?::|$)[^@]*alpine|^alpine(?::|$)/.test(name)) return program === 'curl'
  return /^gcr\.io\/distroless\//.test(name)
}

/** Instructions without the check itself: HEALTHCHECK's own text holds the program's name. */
function withoutHealth(text: string, program: string): string {
  return text
    .split('\n')
    .filter(
      (line) =>
        !(
          new RegExp(`\\b${program}\\b`).test(line) &&
          /localhost|127\.0\.0\.1|https?:\/\/(?:0\.0\.0\.0|\$)/.test(line) &&
          !/install|apk add/.test(line)
        ),
    )
    .join('\n')
}

export const portUnserved: CheckRule = defineRule({
  id: 'deployment.port-unserved',
  title: 'Nothing listens on the port that others are led to',
  severity: 'error',
  confidence: 'likely',
  hint: 'Let the server bind the port, or lead to the one that it binds.',
  references: ['https://docs.docker.com/reference/compose-file/services/#ports'],
  docs: {
    what: 'Compares the port that compose maps, Kubernetes names or a probe asks with those that the container’s server binds.',
    why: 'Connections are refused, and nothing in either file looks wrong by itself.',
    bad: 'services:\n  web:\n    image: shop\n    command: gunicorn shop.wsgi --bind 0.0.0.0:8000\n    ports: ["80:80"]\n',
    good: 'services:\n  web:\n    image: shop\n    command: gunicorn shop.wsgi --bind 0.0.0.0:8000\n    ports: ["80:8000"]\n',
    language: 'yaml',
  },
  needs: { workloads },
  check({ facts, report }) {
    for (const { kind, commands, ports, probes, resource, sharesNetwork } of facts.workloads) {
      // Something beside it may listen.
      if (sharesNetwork && kind === 'compose') continue
      const binds = knownBindsOf(commands)
      if (binds === null) continue
      const bound = new Set(binds.map(({ port }) => port))
      const related = [{ message: 'what the server binds', place: binds[0]!.place }]
      const told = [
        ...ports.map(({ port, place }) => ({ port, place, isProbe: false })),
        ...probes.flatMap(({ port, place, isHttp }) =>
          port === null || !isHttp ? [] : [{ port, place, isProbe: true }],
        ),
      ]
      // One of several may be another protocol's.
      const hasOne = ports.some(({ port }) => bound.has(port))
      for (const { port, place, isProbe } of told) {
        if (bound.has(port) || (!isProbe && (hasOne || /^(?:image)$/.test(kind)))) continue
        if (isProbe && sharesNetwork) continue
        report({
          message: `Port ${port} is ${isProbe ? 'asked' : 'led to'}; the server binds ${[...bound].join(', ')}.`,
          place,
          ...(resource !== null && { resource }),
          related,
        })
      }
    }
  },
})

export const exposeOther = defineRule({
  id: 'deployment.expose-other-port',
  title: 'The image exposes a port that its server does not bind',
  severity: 'warn',
  confidence: 'likely',
  hint: 'Expose the port that the server binds.',
  references: ['https://docs.docker.com/reference/dockerfile/#expose'],
  docs: {
    what: 'Compares `EXPOSE` with the ports that the server of the image binds.',
    why: 'Platforms and proxies that go by EXPOSE lead to a port where nobody listens.',
    bad: 'FROM python:3.13-slim\nEXPOSE 80\nCMD ["gunicorn", "shop.wsgi", "--bind", "0.0.0.0:8000"]\n',
    good: 'FROM python:3.13-slim\nEXPOSE 8000\nCMD ["gunicorn", "shop.wsgi", "--bind", "0.0.0.0:8000"]\n',
    language: 'dockerfile',
  },
  needs: { workloads },
  check({ facts, report }) {
    for (const { kind, commands, ports, resource } of facts.workloads) {
      if (kind !== 'image' || ports.length === 0) continue
      const binds = knownBindsOf(commands)
      if (binds === null || binds.some(({ host, isDefault }) => host === null || isDefault)) continue
      if (binds.every(isLoopback) || ports.some(({ port }) => binds.some((bind) => bind.port === port)))
        continue
      report({
        message: `Port ${ports.map(({ port }) => port).join(', ')} is exposed; the server binds ${binds.map(({ port }) => port).join(', ')}.`,
        place: ports[0]!.place,
        ...(resource !== null && { resource }),
        related: [{ message: 'what the server binds', place: binds[0]!.place }],
      })
    }
  },
})
