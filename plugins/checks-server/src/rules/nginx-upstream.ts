import { argOf, effectiveDirectives, hasInclude, serverOf, speaksTls } from '@havn/checklist'
import type { NginxDirective } from '@havn/checklist'
import { defineNginxRule, named, texts } from '../nginx-rule.ts'

/** `proxy_pass` to servers of HTTP. */
function passes(all: readonly NginxDirective[]) {
  return named(all, 'proxy_pass').filter(
    ({ parent }) => parent?.name !== 'server' || parent.parent?.name !== 'stream',
  )
}

function sets(headers: readonly NginxDirective[], name: string): NginxDirective | undefined {
  return headers.find((each) => argOf(each).toLowerCase() === name)
}

export const hostMissing = defineNginxRule({
  id: 'server.nginx-host-missing',
  title: 'The app does not learn which host was asked for',
  severity: 'warn',
  confidence: 'likely',
  hint: 'Write proxy_set_header Host $host beside the others: a block that has one of its own inherits none.',
  references: [
    'https://docs.gunicorn.org/en/stable/deploy.html#nginx-configuration',
    'https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_set_header',
  ],
  docs: {
    what: 'Finds `proxy_pass` to an upstream or a service by its name, where no `proxy_set_header Host` holds.',
    why: 'The app sees the upstream’s name: Django answers 400, and links lead nowhere.',
    bad: 'server {\n  location / {\n    proxy_pass http://app:8000;\n  }\n}\n',
    good: 'server {\n  location / {\n    proxy_set_header Host $host;\n    proxy_pass http://app:8000;\n  }\n}\n',
  },
  find: (all, config) =>
    passes(all).flatMap((pass) => {
      const target = argOf(pass)
      // Another site is asked by its own name.
      if (
        !/^http:\/\/[\w-]+(?::\d+)?(?:\/|$)|^http:\/\/(?:127\.|unix:|localhost)/.test(target) ||
        hasInclude(pass, config)
      )
        return []
      // Stores and tools that answer to any name.
      if (
        /^http:\/\/(?:minio|s3|kibana|grafana|prometheus|flower|adminer|pgadmin|frontend|client|node_exporter|imgproxy|thumbor)/.test(
          target,
        )
      )
        return []
      return sets(effectiveDirectives(pass, 'proxy_set_header', config), 'host') === undefined
        ? [{ message: 'No Host header is set for it.', place: pass.place }]
        : []
    }),
})

export const protoMissing = defineNginxRule({
  id: 'server.nginx-proto-missing',
  title: 'The app does not learn that the client came over HTTPS',
  severity: 'warn',
  confidence: 'likely',
  hint: 'Write proxy_set_header X-Forwarded-Proto $scheme beside the others: a block that has one of its own inherits none.',
  references: ['https://docs.djangoproject.com/en/5.2/ref/settings/#secure-proxy-ssl-header'],
  docs: {
    what: 'Finds `proxy_pass` in a server with TLS, where no `proxy_set_header X-Forwarded-Proto` holds.',
    why: 'Redirects to HTTPS go round in circles, forms fail their CSRF check, and the header is the client’s to forge.',
    bad: 'server {\n  listen 443 ssl;\n  location / {\n    proxy_set_header Host $host;\n    proxy_pass http://app;\n  }\n}\n',
    good: 'server {\n  listen 443 ssl;\n  location / {\n    proxy_set_header Host $host;\n    proxy_set_header X-Forwarded-Proto $scheme;\n    proxy_pass http://app;\n  }\n}\n',
  },
  find: (all, config) =>
    passes(all).flatMap((pass) => {
      if (!speaksTls(serverOf(pass)) || !argOf(pass).startsWith('http://') || hasInclude(pass, config))
        return []
      const headers = effectiveDirectives(pass, 'proxy_set_header', config)
      const names = [
        'x-forwarded-proto',
        'x-forwarded-protocol',
        'x-forwarded-ssl',
        'x-scheme',
        'x-url-scheme',
        'x-forwarded-scheme',
        'forwarded',
      ]
      return names.some((name) => sets(headers, name) !== undefined)
        ? []
        : [{ message: 'No X-Forwarded-Proto is set for it.', place: pass.place }]
    }),
})

export const websocketVersion = defineNginxRule({
  id: 'server.nginx-websocket-version',
  title: 'Websockets fail behind nginx',
  severity: 'error',
  confidence: 'certain',
  hint: 'Write proxy_http_version 1.1 beside the headers.',
  references: ['https://nginx.org/en/docs/http/websocket.html'],
  docs: {
    what: 'Finds `proxy_set_header Upgrade` where no `proxy_http_version 1.1` holds.',
    why: 'HTTP/1.0, in which nginx asks by itself, cannot be upgraded: every websocket ends with a 400 or 404.',
    bad: 'server {\n  location /ws/ {\n    proxy_set_header Upgrade $http_upgrade;\n    proxy_set_header Connection "upgrade";\n    proxy_pass http://app;\n  }\n}\n',
    good: 'server {\n  location /ws/ {\n    proxy_http_version 1.1;\n    proxy_set_header Upgrade $http_upgrade;\n    proxy_set_header Connection "upgrade";\n    proxy_pass http://app;\n  }\n}\n',
  },
  find: (all, config) =>
    passes(all).flatMap((pass) => {
      const upgrade = sets(effectiveDirectives(pass, 'proxy_set_header', config), 'upgrade')
      if (upgrade === undefined || hasInclude(pass, config)) return []
      const version = effectiveDirectives(pass, 'proxy_http_version', config).at(-1)
      return version === undefined || argOf(version) === '1.0'
        ? [
            {
              message: 'It is asked in HTTP/1.0.',
              place: pass.place,
              related: [{ message: 'the upgrade', place: upgrade.place }],
            },
          ]
        : []
    }),
})

export const headersOff = defineNginxRule({
  id: 'server.nginx-trace-lost',
  title: 'Traces end at nginx',
  severity: 'warn',
  confidence: 'possible',
  hint: 'Let traceparent and tracestate through, unless this is the edge that strangers reach.',
  references: ['https://www.w3.org/TR/trace-context/'],
  docs: {
    what: 'Finds `proxy_pass_request_headers off` without `traceparent`, and a `traceparent` that is set to nothing.',
    why: 'What a client or a gateway began is another trace in the app: nobody sees where the time went.',
    bad: 'server {\n  location / {\n    proxy_set_header traceparent "";\n    proxy_pass http://app;\n  }\n}\n',
    good: 'server {\n  location / {\n    proxy_set_header traceparent $http_traceparent;\n    proxy_pass http://app;\n  }\n}\n',
  },
  find: (all, config) => [
    ...named(all, 'proxy_set_header').flatMap((each) => {
      const [header = '', value] = texts(each)
      return header.toLowerCase() === 'traceparent' && value === ''
        ? [{ message: 'traceparent is set to nothing.', place: each.place }]
        : []
    }),
    ...named(all, 'proxy_pass_request_headers').flatMap((each) => {
      const headers = (each.parent?.block ?? []).filter(({ name }) => name === 'proxy_set_header')
      const all = headers.length > 0 ? headers : effectiveDirectives(each, 'proxy_set_header', config)
      // What a subrequest for a token asks is no part of a trace.
      const isInternal = (each.parent?.block ?? []).some(({ name }) => name === 'internal')
      return argOf(each) === 'off' && sets(all, 'traceparent') === undefined && !isInternal
        ? [{ message: 'No header of the client gets through.', place: each.place }]
        : []
    }),
  ],
})

export const headersLost = defineNginxRule({
  id: 'server.nginx-headers-lost',
  title: 'Headers of the server are lost in a location',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Write them again in the block that has an add_header of its own, or include a file in both.',
  references: [
    'gixy: add_header_redefinition',
    'https://nginx.org/en/docs/http/ngx_http_headers_module.html#add_header',
  ],
  docs: {
    what: 'Finds blocks with an `add_header` of their own, where a block around them sets a security header that they do not.',
    why: 'nginx inherits them only where a block has none: HSTS, CSP and nosniff are gone there.',
    bad: 'server {\n  add_header Strict-Transport-Security "max-age=31536000" always;\n  location /api/ {\n    add_header Cache-Control no-store;\n    proxy_pass http://app;\n  }\n}\n',
    good: 'server {\n  add_header Strict-Transport-Security "max-age=31536000" always;\n  location /api/ {\n    add_header Strict-Transport-Security "max-age=31536000" always;\n    add_header Cache-Control no-store;\n    proxy_pass http://app;\n  }\n}\n',
  },
  find(all, config) {
    const blocks = new Set(named(all, 'add_header').flatMap(({ parent }) => parent ?? []))
    return [...blocks].flatMap((block) => {
      const own = (block.block ?? []).filter(({ name }) => name === 'add_header')
      const hasFile = (block.block ?? []).some(
        ({ name, args }) => name === 'include' && !/mime|proxy|fastcgi|uwsgi/.test(args[0]?.text ?? ''),
      )
      const outer = effectiveDirectives(block, 'add_header', config)
      if (hasFile || block.name === 'if') return []
      const lost = outer.filter(
        (each) =>
          /^(?:strict-transport-security|content-security-policy|x-frame-options|x-content-type-options|referrer-policy|permissions-policy)$/i.test(
            argOf(each),
          ) && sets(own, argOf(each).toLowerCase()) === undefined,
      )
      if (lost.length === 0) return []
      return {
        message: `${[...new Set(lost.map(argOf))].join(', ')} ${lost.length === 1 ? 'is' : 'are'} not sent from here.`,
        place: own[0]!.place,
        related: [{ message: 'set here', place: lost[0]!.place }],
      }
    })
  },
})
