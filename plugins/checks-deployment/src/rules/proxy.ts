import {
  argOf,
  defineRule,
  djangoSettings,
  effectiveDirectives,
  hasInclude,
  isDevelopmentName,
  nginxConfigs,
  serverOf,
  speaksTls,
} from '@havn/checklist'
import type { DjangoProject, NginxDirective } from '@havn/checklist'
import { isAllowed, knownSetting, listOf, onlyProject, servedHosts } from '../django.ts'
import { wantedDjango } from '../django-version-fact.ts'
import { passesOf } from '../nginx-passes.ts'
import { anyWorkloads } from '../workloads-fact.ts'

/** `HTTP_X_FORWARDED_PROTO` is the header `x-forwarded-proto`. */
function headerOf(project: DjangoProject): string | null {
  const value = listOf(knownSetting(project, 'SECURE_PROXY_SSL_HEADER'))
  return value?.[0]?.startsWith('HTTP_') ? value[0].slice(5).toLowerCase().replaceAll('_', '-') : null
}

export const protoForged = defineRule({
  id: 'deployment.proxy-header-forged',
  title: 'Clients say themselves that they came over HTTPS',
  severity: 'error',
  confidence: 'likely',
  hint: 'Set the header in nginx: proxy_set_header X-Forwarded-Proto $scheme.',
  references: ['https://docs.djangoproject.com/en/5.2/ref/settings/#secure-proxy-ssl-header', 'CWE-348'],
  docs: {
    what: 'Finds SECURE_PROXY_SSL_HEADER in settings behind an nginx that leads requests to the app without setting the header.',
    why: 'nginx passes the client’s own header on: redirects to HTTPS and secure cookies are up to whoever asks.',
    bad: '# settings.py: SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")\nlocation / {\n  proxy_pass http://app;\n}\n',
    good: '# settings.py: SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")\nlocation / {\n  proxy_set_header X-Forwarded-Proto $scheme;\n  proxy_pass http://app;\n}\n',
    language: 'nginx',
  },
  needs: { djangoSettings, nginxConfigs },
  check({ facts, report }) {
    const project = onlyProject(facts.djangoSettings)
    const header = project === null ? null : headerOf(project)
    if (project === null || header === null) return
    const { place: setting } = project.setting('SECURE_PROXY_SSL_HEADER')!
    for (const { pass, config } of passesOf(facts.nginxConfigs)) {
      if (hasInclude(pass, config)) continue
      const set = effectiveDirectives(pass, 'proxy_set_header', config).find(
        (each) => argOf(each).toLowerCase() === header,
      )
      if (set !== undefined) continue
      report({
        message: `${header} is not set for the app, which believes it.`,
        place: pass.place,
        ...(setting !== null && { related: [{ message: 'the settings believe it', place: setting }] }),
      })
    }
  },
})

export const redirectLoop = defineRule({
  id: 'deployment.https-redirect-loop',
  title: 'The redirect to HTTPS leads to itself',
  severity: 'error',
  confidence: 'likely',
  hint: 'Set SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https"), and the header in nginx.',
  references: ['https://docs.djangoproject.com/en/5.2/ref/settings/#secure-ssl-redirect'],
  docs: {
    what: 'Finds SECURE_SSL_REDIRECT without SECURE_PROXY_SSL_HEADER behind an nginx that ends TLS.',
    why: 'To Django every request came over plain HTTP: it redirects for ever, and browsers give up.',
    bad: '# settings.py: SECURE_SSL_REDIRECT = True\nserver {\n  listen 443 ssl;\n  location / {\n    proxy_pass http://app;\n  }\n}\n',
    good: '# settings.py: SECURE_SSL_REDIRECT = False\nserver {\n  listen 443 ssl;\n  location / {\n    proxy_pass http://app;\n  }\n}\n',
    language: 'nginx',
  },
  needs: { djangoSettings, nginxConfigs },
  check({ facts, report }) {
    const project = onlyProject(facts.djangoSettings)
    if (project === null) return
    const redirect = knownSetting(project, 'SECURE_SSL_REDIRECT')
    const header = knownSetting(project, 'SECURE_PROXY_SSL_HEADER')
    if (redirect?.value !== true || header === null || header.value !== null || redirect.place === null)
      return
    const secure = [...passesOf(facts.nginxConfigs)].find(({ pass }) => speaksTls(serverOf(pass)))
    if (secure !== undefined)
      report({
        message: 'Nothing tells Django that a request came over HTTPS.',
        place: redirect.place,
        related: [{ message: 'TLS ends here', place: secure.pass.place }],
      })
  },
})

const EXAMPLE = /example|your-?_?(?:domain|site)|my-?_?domain/i

/** Names of a server that are written out, save examples in a file that is to be filled in. */
function namesOf(server: NginxDirective | null): { name: string; place: NginxDirective['place'] }[] {
  return (server?.block ?? [])
    .filter(({ name }) => name === 'server_name')
    .flatMap(({ args }) =>
      args
        .filter(({ text }) => /^(?:[\w-]+\.)+[a-z]{2,}$/i.test(text) && !EXAMPLE.test(text))
        .map(({ text, place }) => ({ name: text, place })),
    )
}

export const serverNameRefused = defineRule({
  id: 'deployment.server-name-refused',
  title: 'Django refuses a name that nginx serves',
  severity: 'error',
  confidence: 'likely',
  hint: 'Add the name to ALLOWED_HOSTS.',
  references: ['https://docs.djangoproject.com/en/5.2/ref/settings/#allowed-hosts'],
  docs: {
    what: 'Compares `server_name` with ALLOWED_HOSTS, where nginx passes the host on.',
    why: 'All requests for the name end in a 400.',
    bad: '# settings.py: ALLOWED_HOSTS = ["shop.test"]\nserver {\n  server_name shop.test www.shop.test;\n  location / {\n    proxy_set_header Host $host;\n    proxy_pass http://app;\n  }\n}\n',
    good: '# settings.py: ALLOWED_HOSTS = [".shop.test"]\nserver {\n  server_name shop.test www.shop.test;\n  location / {\n    proxy_set_header Host $host;\n    proxy_pass http://app;\n  }\n}\n',
    language: 'nginx',
  },
  needs: { djangoSettings, nginxConfigs, anyWorkloads },
  check({ facts, report }) {
    const project = onlyProject(facts.djangoSettings)
    const served = project === null ? null : servedHosts(project, facts.anyWorkloads)
    // With DEBUG on, an empty list is this machine: it is nobody's deployment.
    if (served === null || served.some(({ hosts }) => hosts.length === 0)) return
    const place = served[0]?.place ?? null
    const told = new Set<NginxDirective>()
    for (const { pass, config } of passesOf(facts.nginxConfigs)) {
      const server = serverOf(pass)
      const host = effectiveDirectives(pass, 'proxy_set_header', config).find(
        (each) => argOf(each).toLowerCase() === 'host',
      )
      if (server === null || told.has(server) || !/^\$(?:http_)?host(?::|$)/.test(host?.args[1]?.text ?? ''))
        continue
      // A site for development beside it has settings of its own.
      for (const { name, place: at } of namesOf(server))
        if (!served.some(({ hosts }) => isAllowed(name, hosts)) && !isDevelopmentName(name.split('.')[0]!))
          report({
            message: `${name} is not in ALLOWED_HOSTS.`,
            place: at,
            ...(place !== null && { related: [{ message: 'the hosts that Django takes', place }] }),
          })
      told.add(server)
    }
  },
})

export const csrfOrigins = defineRule({
  id: 'deployment.csrf-origin-missing',
  title: 'Forms fail their CSRF check behind TLS',
  severity: 'error',
  confidence: 'likely',
  hint: 'Set SECURE_PROXY_SSL_HEADER as the proxy has it, or add https:// and the name to CSRF_TRUSTED_ORIGINS.',
  references: ['4_0.E001', 'https://docs.djangoproject.com/en/5.2/ref/settings/#csrf-trusted-origins'],
  docs: {
    what: 'Finds an nginx that ends TLS for a name, before a Django that neither learns of HTTPS nor trusts the name’s origin.',
    why: 'Browsers send Origin: https://…, Django expects http://…: every form and login ends in a 403.',
    bad: '# settings.py: neither SECURE_PROXY_SSL_HEADER nor CSRF_TRUSTED_ORIGINS\nserver {\n  listen 443 ssl;\n  server_name shop.test;\n  location / {\n    proxy_pass http://app;\n  }\n}\n',
    good: '# settings.py: CSRF_TRUSTED_ORIGINS = ["https://shop.test"]\nserver {\n  listen 443 ssl;\n  server_name shop.test;\n  location / {\n    proxy_pass http://app;\n  }\n}\n',
    language: 'nginx',
  },
  needs: { djangoSettings, nginxConfigs, wantedDjango },
  check({ facts, report }) {
    const project = onlyProject(facts.djangoSettings)
    // Before 4.0 Django does not look at Origin.
    if (project === null || (facts.wantedDjango.major ?? 4) < 4) return
    const header = knownSetting(project, 'SECURE_PROXY_SSL_HEADER')
    const origins = listOf(knownSetting(project, 'CSRF_TRUSTED_ORIGINS'))
    const middleware = listOf(project.setting('MIDDLEWARE')) ?? []
    if (
      header === null ||
      header.value !== null ||
      origins === null ||
      !middleware.includes('django.middleware.csrf.CsrfViewMiddleware')
    )
      return
    const told = new Set<NginxDirective>()
    for (const { pass } of passesOf(facts.nginxConfigs)) {
      const server = serverOf(pass)
      if (server === null || !speaksTls(server) || told.has(server)) continue
      told.add(server)
      for (const { name, place } of namesOf(server)) {
        const isTrusted = origins.some(
          (origin) =>
            origin === `https://${name}` ||
            (origin.startsWith('https://*.') && name.endsWith(origin.slice('https://*'.length))),
        )
        if (!isTrusted)
          report({
            message: `Forms from https://${name} are refused.`,
            place,
            related: [{ message: 'TLS ends here', place: server.place }],
          })
      }
    }
  },
})

export const hstsTwice = defineRule({
  id: 'deployment.hsts-twice',
  title: 'Two parties send Strict-Transport-Security',
  severity: 'info',
  confidence: 'certain',
  hint: 'Leave it to one of them.',
  references: ['RFC 6797'],
  docs: {
    what: 'Finds SECURE_HSTS_SECONDS in settings behind an nginx that adds the header as well.',
    why: 'Answers have it twice, and browsers go by the first: a change of the other has no effect.',
    bad: '# settings.py: SECURE_HSTS_SECONDS = 31536000\nserver {\n  add_header Strict-Transport-Security "max-age=300";\n  location / {\n    proxy_pass http://app;\n  }\n}\n',
    good: '# settings.py: SECURE_HSTS_SECONDS = 31536000\nserver {\n  location / {\n    proxy_pass http://app;\n  }\n}\n',
    language: 'nginx',
  },
  needs: { djangoSettings, nginxConfigs },
  check({ facts, report }) {
    const project = onlyProject(facts.djangoSettings)
    const setting = project === null ? null : knownSetting(project, 'SECURE_HSTS_SECONDS')
    if (setting === null || typeof setting.value !== 'number' || setting.value <= 0) return
    const told = new Set<NginxDirective>()
    for (const { pass, config } of passesOf(facts.nginxConfigs)) {
      const added = effectiveDirectives(pass, 'add_header', config).find(
        (each) => argOf(each).toLowerCase() === 'strict-transport-security',
      )
      const isHidden = effectiveDirectives(pass, 'proxy_hide_header', config).some(
        (each) => argOf(each).toLowerCase() === 'strict-transport-security',
      )
      if (added === undefined || isHidden || told.has(added)) continue
      told.add(added)
      report({
        message: 'Django sends it, too.',
        place: added.place,
        ...(setting.place !== null && { related: [{ message: 'the settings', place: setting.place }] }),
      })
    }
  },
})
