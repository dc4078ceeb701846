import { composeFiles, defineRule } from '@havn/checklist'
import type { ComposeMount, ComposeService } from '@havn/checklist'
import type { SourcePlace } from '@havn/plugin-api'
import { join, normalize } from 'node:path/posix'
import { productionServices, whereItStays } from '../walk.ts'

const docs = { language: 'yaml' }
const needs = { composeFiles }
const SOCKET = /(?:^|\/)(?:docker|podman)\.sock$|containerd\.sock$/

/** Mounts of this service itself, not those that it gets from elsewhere. */
function ownBinds(service: ComposeService): (ComposeMount & { source: string })[] {
  return service.mounts.flatMap((mount) =>
    mount.type === 'bind' && mount.source !== null && mount.place.file === service.file.source.file
      ? [{ ...mount, source: mount.source }]
      : [],
  )
}

export const dockerSocket = defineRule({
  id: 'compose.docker-socket',
  title: "A container has Docker's socket",
  severity: 'warn',
  confidence: 'certain',
  hint: 'Put a proxy between them that lets through the few requests that are needed, or do without.',
  references: ['KICS d6355c88', 'CIS Docker 5.32'],
  docs: {
    ...docs,
    what: 'Finds mounts of `docker.sock`, and of those of Podman and containerd. Read-only changes nothing: it is a socket.',
    why: 'Whoever can write to it is root of the host: it starts whatever container it is asked to.',
    bad: 'services:\n  proxy:\n    image: traefik:v3.5\n    volumes: ["/var/run/docker.sock:/var/run/docker.sock:ro"]\n',
    good: 'services:\n  proxy:\n    image: traefik:v3.5\n    environment:\n      DOCKER_HOST: tcp://socket-proxy:2375\n',
  },
  needs,
  check({ facts, report }) {
    for (const service of productionServices(facts.composeFiles))
      for (const { source, place } of ownBinds(service))
        if (SOCKET.test(source)) report({ message: `It has ${source}.`, place, resource: service.resource })
  },
})

const SENSITIVE =
  /^(?:\/|\/(?:bin|boot|dev|etc|home|lib|lib32|lib64|proc|root|run|sbin|sys|usr|var|var\/run|var\/lib|var\/lib\/docker|var\/log|var\/spool|etc\/(?:passwd|shadow|group|sudoers|ssh|cron\.?\w*|docker|kubernetes|systemd)(?:\/.*)?|root\/.*|boot\/.*|home\/[^/]+|(?:home\/[^/]+|root)\/\.(?:ssh|aws|kube|docker|gnupg).*)|~|~\/\.(?:ssh|aws|kube|docker|gnupg).*)$/

/** Below one of those, where a folder of the app itself may lie as well. */
const BELOW = /^\/(?:bin|boot|dev|etc|lib|lib32|lib64|proc|root|run|sbin|sys|usr|var)\/./
/** What containers are given so that they tell the same time, and trust the same, as the host. */
const HARMLESS = /^\/etc\/(?:localtime|timezone|hosts|machine-id|ssl\/certs(?:\/.*)?)$|\.sock$/

/** Binds of this service, those through a named volume (`driver_opts: {o: bind, device: /srv}`) included. */
function hostPaths(service: ComposeService): { path: string; place: SourcePlace; isReadOnly: boolean }[] {
  const direct = ownBinds(service).map(({ source, ...mount }) => ({ ...mount, path: source }))
  const named = service.mounts.flatMap(({ type, source, isReadOnly }) => {
    if (type !== 'volume' || source === null) return []
    const options = service.file.root?.at('volumes', source, 'driver_opts') ?? null
    const device = options?.at('device') ?? null
    const isBind = /(?:^|,)r?bind(?:,|$)/.test(options?.at('o')?.text ?? '')
    return isBind && device?.text ? [{ path: device.text, place: device.place, isReadOnly }] : []
  })
  return [...direct, ...named]
}

export const hostDirectory = defineRule({
  id: 'compose.host-directory',
  title: 'A container has a directory of the host that holds its secrets or its programs',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Mount the one file or folder that the app needs, read-only, or a named volume.',
  references: ['KICS 1c1325ff', 'CIS Docker 5.6'],
  docs: {
    ...docs,
    what: 'Finds mounts of `/`, `/etc`, `/root`, `/home`, `/var`, `/usr`, `/proc`, `/sys` and the like, also as the device of a named volume; a note where they are read-only, as what watches a host wants them, and in the profile `strict` for folders below them.',
    why: 'Whoever breaks into the app changes the host, or reads its keys.',
    bad: 'services:\n  web:\n    image: shop:1.4\n    volumes: ["/etc:/host-etc"]\n',
    good: 'services:\n  web:\n    image: shop:1.4\n    volumes: ["./shop.toml:/etc/shop.toml:ro"]\n',
  },
  needs,
  check({ facts, report }) {
    for (const service of productionServices(facts.composeFiles))
      for (const { path, place, isReadOnly } of hostPaths(service)) {
        const bare = path === '/' ? path : path.replace(/\/+$/, '')
        const isSensitive = SENSITIVE.test(bare)
        if (!isSensitive && (!BELOW.test(bare) || HARMLESS.test(bare))) continue
        report({
          message: `It has ${path} of the host.`,
          place,
          resource: service.resource,
          severity: isReadOnly || !isSensitive ? 'info' : undefined,
          confidence: isSensitive ? undefined : 'possible',
        })
      }
  },
})

export const sourceMounted = defineRule({
  id: 'compose.source-mounted',
  title: "The image's code is covered by the host's",
  severity: 'warn',
  confidence: 'likely',
  hint: 'Move the mount into compose.override.yaml, which is for development; in production the image has the code.',
  references: ['https://docs.docker.com/compose/how-tos/production/#modify-your-compose-file-for-production'],
  docs: {
    ...docs,
    what: 'Finds services that are built from a folder, and mount the same folder; a note where the file does not say that it stays up.',
    why: 'What runs is what lies on the host, not what was built and tested; and whoever breaks in changes the code for good.',
    bad: 'services:\n  web:\n    build: .\n    restart: always\n    volumes: [".:/app"]\n',
    good: 'services:\n  web:\n    build: .\n    restart: always\n',
  },
  needs,
  check({ facts, report }) {
    for (const service of productionServices(facts.composeFiles)) {
      const context = service.build?.context ?? service.base?.build?.context ?? null
      if (context === null) continue
      const folder = service.file.source.file.split('/').slice(0, -1).join('/')
      for (const { source, place } of ownBinds(service)) {
        const isFolder = /^\.{1,2}(?:\/|$)/.test(source)
        const path = isFolder ? normalize(join(folder, source)).replace(/\/$/, '') : null
        if (path !== normalize(context)) continue
        const severity = whereItStays(service, 'warn')
        report({
          message: `${source} is what it is built from.`,
          place,
          resource: service.resource,
          severity,
        })
      }
    }
  },
})
