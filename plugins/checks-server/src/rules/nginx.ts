import { argOf, blocksOf, effectiveDirectives } from '@havn/checklist'
import { defineNginxRule, named, texts } from '../nginx-rule.ts'

export const oldTls = defineNginxRule({
  id: 'server.nginx-old-tls',
  title: 'nginx speaks versions of TLS that are broken',
  severity: 'error',
  confidence: 'certain',
  hint: 'Write ssl_protocols TLSv1.2 TLSv1.3.',
  references: ['RFC 8996', 'CKV2_NGINX_1', 'https://ssl-config.mozilla.org/'],
  docs: {
    what: 'Finds `ssl_protocols` with SSL 2 and 3, TLS 1.0 and 1.1.',
    why: 'Whoever is in between reads what both ends think nobody does; no browser since 2020 needs them.',
    bad: 'server {\n  listen 443 ssl;\n  ssl_protocols TLSv1 TLSv1.1 TLSv1.2;\n}\n',
    good: 'server {\n  listen 443 ssl;\n  ssl_protocols TLSv1.2 TLSv1.3;\n}\n',
  },
  find: (all) =>
    named(all, 'ssl_protocols').flatMap((directive) => {
      const old = texts(directive).filter((each) => /^(?:SSLv[23]|TLSv1(?:\.[01])?)$/.test(each))
      return old.length === 0 ? [] : { message: `It speaks ${old.join(', ')}.`, place: directive.place }
    }),
})

export const serverTokens = defineNginxRule({
  id: 'server.nginx-server-tokens',
  title: 'nginx tells its version to everybody',
  severity: 'info',
  confidence: 'certain',
  hint: 'Write server_tokens off in http or server.',
  references: ['CWE-200', 'https://nginx.org/en/docs/http/ngx_http_core_module.html#server_tokens'],
  docs: {
    what: 'Finds servers for which neither their file nor they say `server_tokens off`.',
    why: 'Scanners look for versions with known faults, and skip what does not name one.',
    bad: 'server {\n  listen 80;\n}\n',
    good: 'server {\n  server_tokens off;\n  listen 80;\n}\n',
  },
  find(all, config) {
    const open = named(all, 'server').filter(
      (server) =>
        server.block !== null &&
        server.parent?.name !== 'upstream' &&
        server.parent?.name !== 'stream' &&
        !(server.block.some(({ name }) => name === 'server_tokens')
          ? server.block.some((each) => each.name === 'server_tokens' && argOf(each) !== 'on')
          : effectiveDirectives(server, 'server_tokens', config).some((each) => argOf(each) !== 'on')),
    )
    return open.slice(0, 1).map(({ place }) => ({ message: 'server_tokens is not off.', place }))
  },
})

export const aliasTraversal = defineNginxRule({
  id: 'server.nginx-alias-traversal',
  title: 'Clients read files beside the folder that is served',
  severity: 'error',
  confidence: 'certain',
  hint: 'End the location with a slash as well.',
  references: ['gixy: alias_traversal', 'CWE-22'],
  docs: {
    what: 'Finds a `location` without a slash at its end and an `alias` with one.',
    why: '/static../settings.py leads to the folder above: the source, and what it keeps secret.',
    bad: 'server {\n  location /static {\n    alias /app/static/;\n  }\n}\n',
    good: 'server {\n  location /static/ {\n    alias /app/static/;\n  }\n}\n',
  },
  find: (all) =>
    named(all, 'alias').flatMap((alias) => {
      const location = alias.parent
      if (location?.name !== 'location' || !argOf(alias).endsWith('/')) return []
      // The app alone leads there, by X-Accel-Redirect.
      if (location.block?.some(({ name }) => name === 'internal')) return []
      const words = texts(location)
      const path = words.length === 1 ? words[0]! : words[0] === '^~' ? (words[1] ?? '/') : '/'
      if (path.endsWith('/') || !path.startsWith('/')) return []
      return {
        message: `${path}../ leads to the folder above ${argOf(alias)}.`,
        place: location.place,
        related: [{ message: 'the folder', place: alias.place }],
      }
    }),
})

export const hostVariable = defineNginxRule({
  id: 'server.nginx-http-host',
  title: "The app gets the client's Host header as it came",
  severity: 'info',
  confidence: 'likely',
  hint: 'Write proxy_set_header Host $host.',
  references: ['gixy: host_spoofing'],
  docs: {
    what: 'Finds `proxy_set_header Host` with `$http_host`, or with an argument or a cookie of the request.',
    why: 'A request whose target names one host and whose header another goes to one server, and tells the app of the other.',
    bad: 'server {\n  location / {\n    proxy_set_header Host $http_host;\n    proxy_pass http://app;\n  }\n}\n',
    good: 'server {\n  location / {\n    proxy_set_header Host $host;\n    proxy_pass http://app;\n  }\n}\n',
  },
  find: (all) =>
    named(all, 'proxy_set_header').flatMap((directive) => {
      const [header = '', value] = texts(directive)
      return header.toLowerCase() === 'host' && /^\$(?:http_host|arg_\w+|cookie_\w+)$/.test(value ?? '')
        ? { message: `Host is ${value}.`, place: directive.place }
        : []
    }),
})

export const splitting = defineNginxRule({
  id: 'server.nginx-response-splitting',
  title: 'Clients write headers into answers',
  severity: 'error',
  confidence: 'certain',
  hint: 'Write $request_uri, which stays encoded, in place of $uri.',
  references: ['gixy: http_splitting', 'CWE-113'],
  docs: {
    what: 'Finds `$uri` and `$document_uri` in redirects, in headers, and in what `proxy_pass` asks for.',
    why: 'They are decoded: %0d%0a in a path ends the line, and begins a header or a request of the client’s own.',
    bad: 'server {\n  listen 80;\n  return 301 https://shop.test$uri;\n}\n',
    good: 'server {\n  listen 80;\n  return 301 https://shop.test$request_uri;\n}\n',
  },
  find: (all) =>
    named(all, 'return', 'rewrite', 'add_header', 'proxy_set_header', 'proxy_pass').flatMap((directive) => {
      const [first = '', ...rest] = texts(directive)
      const values = directive.name === 'proxy_pass' ? [first] : rest
      const value = values.find((each) => /\$(?:\{(?:document_)?uri\}|(?:document_)?uri\b)/.test(each))
      if (value === undefined) return []
      const isRedirect = directive.name === 'return' ? /^30\d$/.test(first) : true
      // Within nginx, a rewrite is harmless.
      const isAway = directive.name !== 'rewrite' || /^(?:https?:|\$scheme)/.test(value)
      return isRedirect && isAway
        ? { message: `${directive.name} has ${value}.`, place: directive.place }
        : []
    }),
})

export const bodyUnlimited = defineNginxRule({
  id: 'server.nginx-body-unlimited',
  title: 'Requests may be of any size',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Set client_max_body_size to what the largest upload needs, in its location alone.',
  references: ['CWE-770', 'https://nginx.org/en/docs/http/ngx_http_core_module.html#client_max_body_size'],
  docs: {
    what: 'Finds `client_max_body_size 0`.',
    why: 'One client fills the disk that nginx keeps bodies on.',
    bad: 'server {\n  client_max_body_size 0;\n}\n',
    good: 'server {\n  client_max_body_size 20m;\n}\n',
  },
  find: (all) =>
    named(all, 'client_max_body_size').flatMap((each) =>
      argOf(each) === '0' ? [{ message: 'There is no limit.', place: each.place }] : [],
    ),
})

const PROJECT = /^\/(?:app|code|src|project|backend|usr\/src\/app|home\/\w+\/app|opt\/app|srv\/app)\/?$/

export const rootExposed = defineNginxRule({
  id: 'server.nginx-root-exposed',
  title: "The project's own folder is served",
  severity: 'warn',
  confidence: 'possible',
  hint: 'Serve a folder that holds public files alone.',
  references: ['CWE-552'],
  docs: {
    what: 'Finds `root` of a server or of `/`, and `alias`, that is a folder in which projects lie: /app, /code, /usr/src/app.',
    why: 'The source is there to be read, and with it .env, .git and the database.',
    bad: 'server {\n  location / {\n    root /app;\n  }\n}\n',
    good: 'server {\n  location / {\n    root /app/public;\n  }\n}\n',
  },
  find: (all) =>
    named(all, 'root', 'alias').flatMap((each) => {
      const { parent } = each
      const isWhole =
        each.name === 'alias' ||
        parent?.name === 'server' ||
        (parent?.name === 'location' && argOf(parent) === '/')
      return isWhole && PROJECT.test(argOf(each))
        ? [{ message: `${argOf(each)} is served.`, place: each.place }]
        : []
    }),
})

const SECRET =
  /\$(?:http_authorization|http_cookie|cookie_\w+|http_x_api_key|request_body|http_proxy_authorization)\b/

export const logSecrets = defineNginxRule({
  id: 'server.nginx-log-secrets',
  title: 'Secrets of clients are in the access log',
  severity: 'error',
  confidence: 'certain',
  hint: 'Take the variable out of the format.',
  references: ['CWE-532'],
  docs: {
    what: 'Finds `log_format` with the headers Authorization, Cookie or X-API-Key, or with bodies.',
    why: 'Whoever reads the log, or any place that it is sent to, is logged in as everybody.',
    bad: "http {\n  log_format main '$remote_addr $http_authorization';\n  server {\n    listen 80;\n  }\n}\n",
    good: "http {\n  log_format main '$remote_addr $status';\n  server {\n    listen 80;\n  }\n}\n",
  },
  find: (all) =>
    named(all, 'log_format').flatMap(({ args }) =>
      args.flatMap(({ text, place }) => {
        const variable = SECRET.exec(text)?.[0]
        return variable === undefined ? [] : [{ message: `The format has ${variable}.`, place }]
      }),
    ),
})

export const metricsPublic = defineNginxRule({
  id: 'server.nginx-metrics-public',
  title: 'Metrics are there for everybody',
  severity: 'warn',
  confidence: 'likely',
  hint: 'Add allow and deny, or auth_basic; or let them be asked past the proxy.',
  references: ['https://prometheus.io/docs/operating/security/', 'CWE-200'],
  docs: {
    what: 'Finds a `location` for /metrics, and `stub_status`, without `allow`, `deny`, `auth_basic`, `auth_request` or `internal`.',
    why: 'They tell paths, versions, load, and often names of customers.',
    bad: 'server {\n  location /metrics {\n    proxy_pass http://app;\n  }\n}\n',
    good: 'server {\n  location /metrics {\n    allow 10.0.0.0/8;\n    deny all;\n    proxy_pass http://app;\n  }\n}\n',
  },
  find: (all, config) =>
    named(all, 'location').flatMap((location) => {
      const block = location.block ?? []
      const isMetrics = /^\/(?:metrics|nginx_status|stub_status)\/?$/.test(texts(location).at(-1) ?? '')
      const isServed = block.some(({ name }) =>
        /^(?:proxy_pass|uwsgi_pass|stub_status|fastcgi_pass)$/.test(name),
      )
      const isClosed = [...block, ...blocksOf(location).flatMap((each) => each.block ?? [])].some(
        ({ name, args }) =>
          /^(?:deny|auth_basic|auth_request|internal|return)$/.test(name) && args[0]?.text !== 'off',
      )
      const ports = effectiveDirectives(block[0] ?? location, 'listen', config).map(argOf)
      const isLocal = ports.length > 0 && ports.every((each) => /^(?:127\.|localhost|unix:)/.test(each))
      return isMetrics && isServed && !isClosed && !isLocal
        ? [{ message: `${texts(location).at(-1)} is open.`, place: location.place }]
        : []
    }),
})
