import { defineRule, djangoSettings } from '@havn/checklist'
import { choosesSettings, knownSetting, serving, valueAt, onlyProject } from '../django.ts'
import { workloads } from '../workloads-fact.ts'

const TRUE = /^(?:1|true|yes|on|t|y)$/i

export const debugInEnvironment = defineRule({
  id: 'deployment.debug-in-environment',
  title: 'The deployment switches DEBUG on',
  severity: 'error',
  confidence: 'certain',
  hint: 'Take the variable out, or set it to what the settings take for false.',
  references: ['security.W018', 'https://docs.djangoproject.com/en/5.2/ref/settings/#debug'],
  docs: {
    what: 'Finds the variable by which settings switch DEBUG on, in an image, a service or a container.',
    why: 'Every error shows settings, source and the variables of the request to whoever caused it.',
    bad: '# settings.py: DEBUG = os.environ.get("DJANGO_DEBUG") == "1"\nservices:\n  web:\n    image: shop\n    environment: { DJANGO_DEBUG: "1" }\n',
    good: '# settings.py: DEBUG = os.environ.get("DJANGO_DEBUG") == "1"\nservices:\n  web:\n    image: shop\n    environment: { DJANGO_DEBUG: "0" }\n',
    language: 'yaml',
  },
  needs: { workloads, djangoSettings },
  check({ facts, report }) {
    const assignments = onlyProject(facts.djangoSettings)?.setting('DEBUG')?.assignments ?? []
    const reading = assignments.filter(({ origin }) => origin === 'environment')
    const names = new Map(
      reading.flatMap(({ strings, place }) =>
        strings
          // Others, such as PRODUCTION, may switch it off.
          .filter(({ text }) => /^[A-Z][A-Z0-9_]*$/.test(text) && /DEBUG|DEV|LOCAL/.test(text))
          .map(({ text }) => [text, place] as const),
      ),
    )
    for (const { environment, resource } of facts.workloads)
      for (const [name, read] of names) {
        const set = environment.get(name)
        if (set?.value != null && TRUE.test(set.value))
          report({
            message: `${name} is ${set.value}.`,
            place: set.place,
            ...(resource !== null && { resource }),
            related: [{ message: 'the settings read it', place: read }],
          })
      }
  },
})

export const sessionsPerProcess = defineRule({
  id: 'deployment.sessions-per-process',
  title: 'Each worker has sessions of its own',
  severity: 'error',
  confidence: 'certain',
  hint: 'Use Redis or Memcached for the cache, or sessions in the database.',
  references: [
    'https://docs.djangoproject.com/en/5.2/topics/http/sessions/#using-cached-sessions',
    'https://docs.djangoproject.com/en/5.2/topics/cache/#local-memory-caching',
  ],
  docs: {
    what: 'Finds sessions in a cache that lies in the memory of one process, where several run.',
    why: 'Clients are logged in at one worker and not at the next.',
    bad: '# settings.py: SESSION_ENGINE is the cache, and CACHES are LocMemCache\nservices:\n  web:\n    image: shop\n    command: gunicorn shop.wsgi --workers 4\n',
    good: '# settings.py: SESSION_ENGINE is the database\nservices:\n  web:\n    image: shop\n    command: gunicorn shop.wsgi --workers 4\n',
    language: 'yaml',
  },
  needs: { workloads, djangoSettings },
  check({ facts, report }) {
    const project = onlyProject(facts.djangoSettings)
    if (project === null) return
    const engine = knownSetting(project, 'SESSION_ENGINE')
    const caches = knownSetting(project, 'CACHES')
    if (engine?.value !== 'django.contrib.sessions.backends.cache' || engine.place === null) return
    const alias = knownSetting(project, 'SESSION_CACHE_ALIAS')?.value ?? 'default'
    const backend = valueAt(caches, String(alias), 'BACKEND')
    if (typeof backend !== 'string' || !/locmem\.LocMemCache$|dummy\.DummyCache$/.test(backend)) return
    for (const { commands, replicas, resource } of serving(facts.workloads, project)) {
      const workers = Math.max(...commands.map((command) => workersOf(command)))
      if (workers * replicas.value < 2) continue
      report({
        message: `Sessions are in the memory of one of ${workers * replicas.value} processes.`,
        place: engine.place,
        ...(resource !== null && { resource }),
        related: [{ message: 'what runs them', place: replicas.place ?? commands[0]!.place }],
        confidence: engine.confidence,
      })
      return
    }
  },
})

function workersOf({ options }: { options: readonly { name: string; value: string | null }[] }): number {
  const value = options.findLast(({ name }) => name === 'workers')?.value ?? '1'
  return /^\d+$/.test(value) ? Number(value) : 1
}

export const mediaReplicas = defineRule({
  id: 'deployment.media-without-volume',
  title: 'Uploads are on the disk of one replica',
  severity: 'warn',
  confidence: 'likely',
  hint: 'Mount a volume that all replicas share at MEDIA_ROOT, or store them with a service such as S3.',
  references: ['https://docs.djangoproject.com/en/5.2/topics/files/#file-storage'],
  docs: {
    what: 'Finds uploads in files (MEDIA_ROOT is set, and the storage is Django’s own) of a workload with several replicas and no volume.',
    why: 'Every other request for an upload is a 404, and a deployment takes them all away.',
    bad: '# settings.py: MEDIA_ROOT = "/data/media"\nspec:\n  replicas: 2\n',
    good: '# settings.py: MEDIA_ROOT = "/data/media"\nspec:\n  replicas: 1\n',
    language: 'yaml',
  },
  needs: { workloads, djangoSettings },
  check({ facts, report }) {
    const project = onlyProject(facts.djangoSettings)
    const root = project === null ? null : knownSetting(project, 'MEDIA_ROOT')
    if (project === null || root === null || root.isDefault || root.value === '') return
    const storages = valueAt(knownSetting(project, 'STORAGES'), 'default', 'BACKEND')
    if (
      storages !== 'django.core.files.storage.FileSystemStorage' ||
      project.setting('DEFAULT_FILE_STORAGE')?.isDefault === false
    )
      return
    for (const { replicas, mounts, resource } of serving(facts.workloads, project))
      if (replicas.value > 1 && replicas.place !== null && mounts.length === 0)
        report({
          message: `${replicas.value} replicas keep uploads, each for itself.`,
          place: replicas.place,
          ...(resource !== null && { resource }),
          ...(root.place !== null && { related: [{ message: 'where uploads go', place: root.place }] }),
        })
  },
})

export const variableMissing = defineRule({
  id: 'deployment.variable-missing',
  title: 'The settings need a variable that nothing sets',
  severity: 'error',
  confidence: 'likely',
  hint: 'Set it, or give the settings a default.',
  references: ['https://12factor.net/config'],
  docs: {
    what: 'Finds variables without which settings do not load, in services and containers all of whose variables are in the project.',
    why: 'The app ends as soon as it starts; with a name that is nearly right, long after anybody looked at it.',
    bad: '# settings.py: MAIL = os.environ["MAIL_HOST"]\nservices:\n  web:\n    image: shop\n    command: gunicorn shop.wsgi\n    environment: { MAIL_HOTS: mail.test }\n',
    good: '# settings.py: MAIL = os.environ["MAIL_HOST"]\nservices:\n  web:\n    image: shop\n    command: gunicorn shop.wsgi\n    environment: { MAIL_HOST: mail.test }\n',
    language: 'yaml',
  },
  needs: { workloads, djangoSettings },
  check({ facts, report }) {
    const project = onlyProject(facts.djangoSettings)
    // Settings that read a file of variables may have it from there.
    if (project === null || project.environmentFileCalls.length > 0) return
    for (const { kind, environment, hasHiddenVariables, place, resource } of serving(
      facts.workloads,
      project,
    )) {
      // One that sets none at all gets them from whoever starts it.
      if (kind === 'image' || hasHiddenVariables || environment.size === 0) continue
      if (choosesSettings(environment, project)) continue
      for (const name of project.fakes) {
        if (environment.has(name) || environment.has(`${name}_FILE`)) continue
        const near = [...environment].find(([other]) => isNear(name, other))
        report({
          message: near === undefined ? `${name} is not set.` : `${name} is not set; ${near[0]} is.`,
          place: near?.[1].place ?? place,
          ...(resource !== null && { resource }),
          ...(project.settingsFile !== null && {
            hint: `Set ${name}: ${project.settingsFile} reads it without a default.`,
          }),
        })
      }
    }
  },
})

/** Letters that are swapped, one more, one less or one other. */
function isNear(one: string, other: string): boolean {
  if (Math.abs(one.length - other.length) > 1 || one.length < 5) return false
  let start = 0
  while (start < one.length && one[start] === other[start]) start++
  let end = 0
  while (end < Math.min(one.length, other.length) - start && one.at(-1 - end) === other.at(-1 - end)) end++
  const [left, right] = [one.slice(start, one.length - end), other.slice(start, other.length - end)]
  return left.length <= 1 && right.length <= 1
    ? true
    : left.length === 2 && right.length === 2 && left === right[1]! + right[0]!
}

const SERVICE_URL =
  /^(?:postgres(?:ql)?|postgis|mysql|mariadb|redis|rediss|amqps?|mongodb(?:\+srv)?|memcached)(?:\+\w+)?:\/\/(?:[^@/\s]*@)?([\w.-]+)/

export const localhostInContainer = defineRule({
  id: 'deployment.localhost-in-container',
  title: 'A service is looked for inside of the container',
  severity: 'error',
  confidence: 'likely',
  hint: 'Name the service as the network knows it: db, redis.',
  references: ['https://docs.docker.com/compose/how-tos/networking/'],
  docs: {
    what: 'Finds addresses of databases, caches and brokers on localhost, in the variables of a container with a network of its own.',
    why: 'Each container has a localhost of its own, and the database is not in it.',
    bad: 'services:\n  web:\n    image: shop\n    environment: { DATABASE_URL: "postgres://shop@localhost/shop" }\n  db:\n    image: postgres:17\n',
    good: 'services:\n  web:\n    image: shop\n    environment: { DATABASE_URL: "postgres://shop@db/shop" }\n  db:\n    image: postgres:17\n',
    language: 'yaml',
  },
  needs: { workloads },
  check({ facts, report }) {
    for (const { kind, environment, resource, sharesNetwork } of facts.workloads) {
      if (kind === 'image' || sharesNetwork) continue
      for (const [name, { value, place }] of environment) {
        const host = SERVICE_URL.exec(value ?? '')?.[1]
        const isHost = /^(?:POSTGRES|DB|DATABASE|REDIS|MYSQL|RABBITMQ|BROKER|CACHE|MEMCACHED|PG)_?HOST$/.test(
          name,
        )
        const target = host ?? (isHost ? value : null)
        // An image's own default is for whoever runs it to replace.
        if (
          target === null ||
          !/^(?:localhost|127\.0\.0\.1|::1)$/.test(target) ||
          /Dockerfile|Containerfile/.test(place.file)
        )
          continue
        report({ message: `${name} leads to ${target}.`, place, ...(resource !== null && { resource }) })
      }
    }
  },
})

export const serviceUnknown = defineRule({
  id: 'deployment.service-unknown',
  title: 'A variable leads to a service that is not there',
  severity: 'warn',
  confidence: 'likely',
  hint: 'Correct the name, or add the service.',
  references: ['https://docs.docker.com/compose/how-tos/networking/'],
  docs: {
    what: 'Finds addresses of databases, caches and brokers whose host is a bare name, which no service of the compose file has.',
    why: 'Nothing answers to the name, and the app waits for it or ends.',
    bad: 'services:\n  web:\n    image: shop\n    environment: { REDIS_URL: "redis://redis:6379" }\n  cache:\n    image: redis:8\n',
    good: 'services:\n  web:\n    image: shop\n    environment: { REDIS_URL: "redis://cache:6379" }\n  cache:\n    image: redis:8\n',
    language: 'yaml',
  },
  needs: { workloads },
  check({ facts, report }) {
    for (const { kind, environment, resource, sharesNetwork, commands, file } of facts.workloads) {
      if (kind !== 'compose' || sharesNetwork) continue
      const here = facts.workloads.filter((other) => other.kind === 'compose' && other.file === file)
      const service = commands[0]?.origin.service
      // Networks and files beside it have names of their own.
      const root = service?.file.root
      if (service == null || root == null) continue
      if (service.base !== null || service.overlays.length > 0) continue
      const isOpen =
        [...(root.at('networks')?.entries() ?? [])].some(({ value }) => value.has('external')) ||
        service.setting('external_links') !== null ||
        root.has('include')
      if (isOpen) continue
      const names = new Set(here.flatMap((other) => other.resource?.replace(/^services\./, '') ?? []))
      for (const each of service.file.services) {
        names.add(each.name)
        for (const key of ['hostname', 'container_name']) names.add(each.setting(key)?.value.text ?? '')
        for (const { value } of each.setting('networks')?.value.entries() ?? [])
          for (const { text } of value.at('aliases')?.items() ?? []) names.add(text ?? '')
        for (const { text } of each.setting('links')?.value.items() ?? [])
          names.add(text?.split(':').at(-1) ?? '')
        for (const { text } of each.setting('extra_hosts')?.value.items() ?? [])
          names.add(text?.split(/[:=]/)[0] ?? '')
      }
      for (const [name, { value, place }] of environment) {
        const host = SERVICE_URL.exec(value ?? '')?.[1]
        if (
          host === undefined ||
          host.includes('.') ||
          host === 'localhost' ||
          names.has(host) ||
          place.file !== file
        )
          continue
        report({
          message: `${name} leads to ${host}, which is no service here.`,
          place,
          ...(resource !== null && { resource }),
        })
      }
    }
  },
})
