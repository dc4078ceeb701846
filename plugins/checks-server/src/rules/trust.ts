import { bindsOf, defineRule, isLoopback, isOn, optionOf, requirements } from '@havn/checklist'
import { defineCommandRule, isConfigKnown } from '../command-rule.ts'

export const forwardedAny = defineCommandRule({
  id: 'server.forwarded-any',
  title: 'The server believes forwarded headers of everybody',
  severity: 'warn',
  confidence: 'likely',
  hint: 'Name the addresses or networks of the proxies in front.',
  references: [
    'https://docs.gunicorn.org/en/stable/settings.html#forwarded-allow-ips',
    'https://www.uvicorn.org/settings/#http',
  ],
  docs: {
    what: 'Finds `forwarded_allow_ips=*` on a server that listens on more than its own machine. In a container it is for information: what reaches the port there is for the network to say.',
    why: 'Anybody who reaches the port says which address they come from, and that they came over HTTPS.',
    bad: 'FROM python:3.13-slim\nCMD ["gunicorn", "shop.wsgi", "--bind", ":8000", "--forwarded-allow-ips", "*"]\n',
    good: 'FROM python:3.13-slim\nCMD ["gunicorn", "shop.wsgi", "--bind", ":8000", "--forwarded-allow-ips", "10.0.0.2"]\n',
  },
  servers: ['gunicorn', 'uvicorn'],
  find(command) {
    const option = optionOf(command, 'forwarded-allow-ips')
    if (option?.value == null || !/(?:^|,)\s*\*\s*(?:,|$)/.test(option.value)) return null
    const binds = bindsOf(command)
    if (binds.length > 0 && binds.every((bind) => bind.host === null || isLoopback(bind))) return null
    const severity = command.origin.isContainer ? ('info' as const) : ('warn' as const)
    return { message: `${option.spelling} is "*".`, place: option.place, severity }
  },
})

export const forwardedUntrusted = defineCommandRule({
  id: 'server.forwarded-untrusted',
  title: 'Forwarded headers of a proxy in another container are not believed',
  severity: 'info',
  confidence: 'possible',
  hint: 'Name the proxy: --forwarded-allow-ips, or FORWARDED_ALLOW_IPS.',
  references: ['https://github.com/encode/uvicorn/issues/589', 'https://www.uvicorn.org/settings/#http'],
  docs: {
    what: 'Finds uvicorn in a container, open to others, that believes proxies on its own machine alone.',
    why: 'Behind a proxy in another container every client has the proxy’s address, and every URL begins with http.',
    bad: 'FROM python:3.13-slim\nCMD ["uvicorn", "shop:app", "--host", "0.0.0.0"]\n',
    good: 'FROM python:3.13-slim\nCMD ["uvicorn", "shop:app", "--host", "0.0.0.0", "--forwarded-allow-ips", "10.0.0.2"]\n',
  },
  servers: ['uvicorn', 'fastapi'],
  find(command) {
    if (!command.origin.isContainer || optionOf(command, 'forwarded-allow-ips') !== null) return null
    const open = bindsOf(command).find((bind) => bind.host !== null && !isLoopback(bind))
    return open === undefined ? null : { message: 'It believes 127.0.0.1 alone.' }
  },
})

export const headerMap = defineCommandRule({
  id: 'server.header-map-dangerous',
  title: 'Headers with underscores pass for those with dashes',
  severity: 'error',
  confidence: 'certain',
  hint: 'Take the setting out: gunicorn then drops such headers.',
  references: ['https://docs.gunicorn.org/en/stable/settings.html#header-map', 'CWE-444'],
  docs: {
    what: 'Finds gunicorn with `header_map` set to `dangerous`.',
    why: 'A client’s X_Forwarded_Proto arrives as the proxy’s X-Forwarded-Proto, which the proxy did not overwrite.',
    bad: 'FROM python:3.13-slim\nCMD ["gunicorn", "shop.wsgi", "--header-map", "dangerous"]\n',
    good: 'FROM python:3.13-slim\nCMD ["gunicorn", "shop.wsgi"]\n',
  },
  servers: ['gunicorn'],
  find(command) {
    const option = optionOf(command, 'header-map')
    return option?.value?.toLowerCase() === 'dangerous'
      ? { message: 'header_map is dangerous.', place: option.place }
      : null
  },
})

const LOOSE = [
  'permit-obsolete-folding',
  'strip-header-spaces',
  'permit-unconventional-http-method',
  'permit-unconventional-http-version',
  'casefold-http-method',
]

export const looseParsing = defineCommandRule({
  id: 'server.loose-parsing',
  title: 'Requests that break the rules of HTTP are taken',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Take the option out, and mend the client that needs it.',
  references: [
    'https://docs.gunicorn.org/en/stable/settings.html#permit-unconventional-http-method',
    'CWE-444',
  ],
  docs: {
    what: 'Finds options of gunicorn that make its parser take what the specification forbids.',
    why: 'Where a proxy and a server read a request in two ways, a second one hides in it.',
    bad: 'FROM python:3.13-slim\nCMD ["gunicorn", "shop.wsgi", "--strip-header-spaces"]\n',
    good: 'FROM python:3.13-slim\nCMD ["gunicorn", "shop.wsgi"]\n',
  },
  servers: ['gunicorn'],
  find: (command) =>
    LOOSE.flatMap((name) => {
      const option = optionOf(command, name)
      return isOn(option) ? { message: `${option!.spelling} is on.`, place: option!.place } : []
    }),
})

export const gunicornOld = defineRule({
  id: 'server.gunicorn-old',
  title: 'gunicorn lets requests be smuggled',
  severity: 'error',
  confidence: 'certain',
  hint: 'Install gunicorn 23 or newer.',
  references: ['CVE-2024-1135', 'CVE-2024-6827', 'CWE-444'],
  docs: {
    what: 'Finds gunicorn before 23 in requirements and lock files: the version that is installed, or a range that keeps newer ones out.',
    why: 'It takes Transfer-Encoding that a proxy reads otherwise: a client sends requests in another one’s name.',
    bad: 'django==5.2.8\ngunicorn==21.2.0\n',
    good: 'django==5.2.8\ngunicorn==23.0.0\n',
    language: 'text',
  },
  needs: { requirements },
  check({ facts, report }) {
    for (const { name, language, version, specifier, isDevelopment, place } of facts.requirements) {
      if (name !== 'gunicorn' || language !== 'python' || isDevelopment) continue
      const isOld = version !== null && major(version) < 23
      const upper = /(?:^|,)\s*<=?\s*(\d+)/.exec(specifier)
      const caret = /^(?:\^|~|~=\s*)(\d+)\.?(\d+)?\.?(\d+)?/.exec(specifier)
      const isKept =
        (upper !== null && (Number(upper[1]) < 23 || /<\s*23(?:\.0)*\s*(?:,|$)/.test(specifier))) ||
        (caret !== null && Number(caret[1]) < 23)
      if (isOld || (version === null && isKept))
        report({ message: `gunicorn ${version ?? specifier} is wanted.`, place })
    }
  },
})

function major(version: string): number {
  return Number(/^\d+/.exec(version)?.[0] ?? Infinity)
}

export const loopbackInContainer = defineCommandRule({
  id: 'server.loopback-in-container',
  title: 'Nothing outside of the container reaches the server',
  severity: 'error',
  confidence: 'likely',
  hint: 'Bind 0.0.0.0, and let the network decide who reaches it.',
  references: ['https://docs.gunicorn.org/en/stable/settings.html#bind'],
  docs: {
    what: 'Finds servers in a container that listen on 127.0.0.1, because they are told to or are not told otherwise.',
    why: 'Each container has a loopback of its own: mapped ports, proxies and probes get no answer.',
    bad: 'FROM python:3.13-slim\nCMD ["gunicorn", "shop.wsgi"]\n',
    good: 'FROM python:3.13-slim\nCMD ["gunicorn", "shop.wsgi", "--bind", "0.0.0.0:8000"]\n',
  },
  servers: ['gunicorn', 'uvicorn', 'hypercorn', 'daphne', 'granian', 'flask', 'runserver'],
  find(command) {
    const { origin, via } = command
    if (!origin.isContainer || !isConfigKnown(command)) return null
    if (origin.pod !== null && (origin.pod.object.pods?.containers.length ?? 0) > 1) return null
    if (origin.service?.setting('network_mode') != null) return null
    // A proxy in the same container.
    const words = origin.stage?.instructions.flatMap((each) => each.rest.text).join(' ') ?? ''
    if (/\b(?:nginx|caddy|apache2|httpd|haproxy|traefik|supervisor|s6-overlay)/.test(words)) return null
    const binds = bindsOf(command)
    if (binds.length === 0 || !binds.every(isLoopback)) return null
    const [{ place, isDefault }] = binds as [(typeof binds)[0]]
    // A script may be given the address by what it is not seen to be given.
    const confidence = isDefault && via.length > 0 ? ('possible' as const) : ('likely' as const)
    const message = isDefault
      ? `${command.server} listens on 127.0.0.1 where nothing else is said.`
      : 'It listens on the loopback of its container.'
    return { message, place, confidence }
  },
})

export const publicBind = defineCommandRule({
  id: 'server.public-bind',
  title: 'The app server is open to the network, past the proxy',
  severity: 'warn',
  confidence: 'likely',
  hint: 'Bind 127.0.0.1 or a Unix socket, and let the proxy lead to it.',
  references: ['https://docs.gunicorn.org/en/stable/deploy.html'],
  docs: {
    what: 'Finds Python app servers that a systemd unit starts on all addresses of the machine.',
    why: 'Clients that reach the port have no TLS, no limits, and forge the headers that the proxy sets.',
    bad: '[Service]\nExecStart=/srv/venv/bin/gunicorn shop.wsgi --bind 0.0.0.0:8000\n',
    good: '[Service]\nExecStart=/srv/venv/bin/gunicorn shop.wsgi --bind 127.0.0.1:8000\n',
    language: 'ini',
  },
  servers: ['gunicorn', 'uvicorn', 'hypercorn', 'daphne', 'granian', 'waitress', 'uwsgi'],
  find(command) {
    if (command.origin.kind !== 'systemd') return null
    const open = bindsOf(command).find(({ host }) => host === '*')
    return open === undefined ? null : { message: 'It listens on all addresses.', place: open.place }
  },
})

export const asRoot = defineCommandRule({
  id: 'server.runs-as-root',
  title: 'The server runs as root',
  severity: 'error',
  confidence: 'certain',
  hint: 'Give it a user of its own.',
  references: ['CWE-250'],
  docs: {
    what: 'Finds servers that are told to run as root, Celery that is forced to included.',
    why: 'Whoever gets code to run in the app owns the container or the machine.',
    bad: 'FROM python:3.13-slim\nCMD ["gunicorn", "shop.wsgi", "--user", "root"]\n',
    good: 'FROM python:3.13-slim\nCMD ["gunicorn", "shop.wsgi", "--user", "app"]\n',
  },
  find(command) {
    const option = optionOf(command, 'user')
    if (option !== null && /^(?:root|0)$/.test(option.value ?? ''))
      return { message: 'It is told to run as root.', place: option.place }
    const forced = command.server === 'celery' ? command.environment.get('C_FORCE_ROOT') : undefined
    return forced !== undefined && !/^(?:|0|false)$/i.test(forced.value ?? '1')
      ? {
          message:
            'C_FORCE_ROOT lets Celery run as root, with pickled messages of whoever reaches the broker.',
          place: forced.place,
        }
      : null
  },
})
