import type { ServerName } from './server-command.ts'

/** What is known of a server's command line. */
export interface ServerKind {
  name: ServerName
  /** Names of its program. */
  programs: RegExp
  /** `python -m` this. */
  modules: readonly string[]
  /** By spelling without leading dashes and with dashes for underscores, the name that options go by here. */
  names: Readonly<Record<string, string>>
  /** Spellings of options without a value. */
  flags: ReadonlySet<string>
  /** Variables that set options: `UVICORN_WORKERS`. */
  variablePrefix: string | null
  /** What the server does where nothing is said. */
  defaults: Readonly<Record<string, string>>
}

const words = (text: string) => new Set(text.split(/\s+/).filter((word) => word !== ''))

function kind(
  name: ServerName,
  programs: RegExp,
  about: Partial<Omit<ServerKind, 'name' | 'programs' | 'flags'>> & { flags?: string },
): ServerKind {
  const { modules = [], names = {}, flags = '', variablePrefix = null, defaults = {} } = about
  return { name, programs, modules, names, flags: words(flags), variablePrefix, defaults }
}

const gunicorn = kind('gunicorn', /^gunicorn3?$/, {
  modules: ['gunicorn', 'gunicorn.app.wsgiapp'],
  names: {
    b: 'bind',
    w: 'workers',
    k: 'worker-class',
    t: 'timeout',
    u: 'user',
    g: 'group',
    c: 'config',
    n: 'name',
    p: 'pid',
    D: 'daemon',
    'keep-alive': 'keepalive',
    'access-logfile': 'access-log',
    accesslog: 'access-log',
    'access-logformat': 'access-log-format',
    'error-logfile': 'error-log',
    'log-file': 'error-log',
    errorlog: 'error-log',
    'preload-app': 'preload',
    loglevel: 'log-level',
    e: 'env',
    'raw-env': 'env',
    R: 'enable-stdio-inheritance',
  },
  flags:
    'reload preload preload-app daemon D capture-output enable-stdio-inheritance R no-sendfile reuse-port spew check-config print-config initgroups log-syslog disable-redirect-access-to-syslog suppress-ragged-eofs do-handshake-on-connect permit-obsolete-folding strip-header-spaces permit-unconventional-http-method permit-unconventional-http-version casefold-http-method',
  defaults: {
    bind: '127.0.0.1:8000',
    workers: '1',
    threads: '1',
    timeout: '30',
    'graceful-timeout': '30',
    keepalive: '2',
  },
})

const uvicorn = kind('uvicorn', /^uvicorn$/, {
  modules: ['uvicorn'],
  names: {
    'timeout-keep-alive': 'keepalive',
    'timeout-graceful-shutdown': 'graceful-timeout',
    'limit-max-requests': 'max-requests',
    'limit-max-requests-jitter': 'max-requests-jitter',
    uds: 'unix',
    'no-access-log': 'no-access-log',
  },
  flags:
    'reload factory proxy-headers no-proxy-headers access-log no-access-log use-colors no-use-colors server-header no-server-header date-header no-date-header ws-per-message-deflate version help',
  variablePrefix: 'UVICORN_',
  defaults: { host: '127.0.0.1', port: '8000', workers: '1', keepalive: '5' },
})

const hypercorn = kind('hypercorn', /^hypercorn$/, {
  modules: ['hypercorn'],
  names: {
    b: 'bind',
    w: 'workers',
    k: 'worker-class',
    c: 'config',
    u: 'user',
    g: 'group',
    'keep-alive': 'keepalive',
    'access-logfile': 'access-log',
    'access-logformat': 'access-log-format',
    'error-logfile': 'error-log',
    'log-file': 'error-log',
  },
  flags: 'reload debug',
  defaults: { bind: '127.0.0.1:8000', workers: '1', 'graceful-timeout': '3', keepalive: '5' },
})

const daphne = kind('daphne', /^daphne$/, {
  modules: ['daphne'],
  names: {
    b: 'host',
    bind: 'host',
    p: 'port',
    u: 'unix',
    'unix-socket': 'unix',
    t: 'timeout',
    'http-timeout': 'timeout',
    v: 'verbosity',
    e: 'endpoint',
  },
  flags: 'proxy-headers no-server-name noreload',
  defaults: { host: '127.0.0.1', port: '8000' },
})

const granian = kind('granian', /^granian$/, {
  modules: ['granian'],
  names: {
    'blocking-threads': 'threads',
    'workers-kill-timeout': 'graceful-timeout',
    'access-log-fmt': 'access-log-format',
    uds: 'unix',
  },
  flags:
    'reload access-log no-access-log log no-log respawn-failed-workers no-respawn-failed-workers factory no-factory ws no-ws log-enabled process-name-off',
  variablePrefix: 'GRANIAN_',
  defaults: { host: '127.0.0.1', port: '8000', workers: '1' },
})

const uwsgi = kind('uwsgi', /^uwsgi(?:-core|_python3?|3)?$/, {
  names: {
    p: 'workers',
    processes: 'workers',
    M: 'master',
    s: 'socket',
    'uwsgi-socket': 'socket',
    b: 'buffer-size',
    harakiri: 'timeout',
    'worker-reload-mercy': 'graceful-timeout',
    'http-keepalive': 'http-keepalive',
    uid: 'user',
    gid: 'group',
    logto: 'access-log',
    logto2: 'access-log',
    daemonize: 'access-log',
    'log-format': 'access-log-format',
    logformat: 'access-log-format',
    'max-requests-delta': 'max-requests-jitter',
    'py-autoreload': 'reload',
    'python-autoreload': 'reload',
    'py-auto-reload': 'reload',
    wsgi: 'module',
    w: 'module',
    H: 'home',
    virtualenv: 'home',
    lazy: 'lazy-apps',
  },
  flags:
    'M master enable-threads vacuum single-interpreter die-on-term need-app lazy lazy-apps thunder-lock strict disable-logging disable-write-exception ignore-sigpipe ignore-write-errors no-orphans auto-procname wsgi-disable-file-wrapper http-keepalive http-auto-chunked http-chunked-input memory-report i show-config no-default-app manage-script-name cheap idle-die ksm',
  defaults: { workers: '1', threads: '1' },
})

/** In the order in which they are looked for. */
export const serverKinds: readonly ServerKind[] = [
  gunicorn,
  uvicorn,
  hypercorn,
  daphne,
  granian,
  uwsgi,
  kind('waitress', /^waitress-serve$/, {
    modules: ['waitress'],
    names: { listen: 'bind' },
    flags: 'call expose-tracebacks no-expose-tracebacks ipv4 no-ipv4 ipv6 no-ipv6',
    defaults: { bind: '*:8080', threads: '4', workers: '1' },
  }),
  kind('runserver', /^(?:manage\.py|django-admin(?:\.py)?)$/, {
    flags: 'noreload nothreading insecure ipv6 6 nostatic skip-checks force-color no-color traceback',
    defaults: { host: '127.0.0.1', port: '8000' },
  }),
  kind('flask', /^flask$/, {
    modules: ['flask'],
    names: { h: 'host', p: 'port', A: 'app' },
    flags: 'debug no-debug reload no-reload debugger no-debugger with-threads without-threads',
    variablePrefix: 'FLASK_RUN_',
    defaults: { host: '127.0.0.1', port: '5000' },
  }),
  kind('fastapi', /^fastapi$/, {
    flags: 'reload no-reload proxy-headers no-proxy-headers',
    defaults: { host: '0.0.0.0', port: '8000', workers: '1' },
  }),
  kind('celery', /^celery$/, {
    modules: ['celery'],
    names: {
      A: 'app',
      c: 'workers',
      concurrency: 'workers',
      B: 'beat',
      l: 'loglevel',
      Q: 'queues',
      P: 'pool',
      s: 'schedule',
      n: 'hostname',
      O: 'optimization',
    },
    flags: 'B beat E task-events without-gossip without-mingle without-heartbeat purge detach uid gid',
  }),
  kind('node', /^(?:node|nodejs|bun|deno)$/, {
    names: { r: 'require', e: 'eval' },
    flags:
      'insecure-http-parser inspect inspect-brk watch enable-source-maps no-warnings trace-warnings expose-gc preserve-symlinks experimental-strip-types experimental-specifier-resolution trace-deprecation abort-on-uncaught-exception allow-net A',
  }),
  kind('nodemon', /^(?:nodemon|ts-node-dev|tsnd)$/, {
    flags: 'respawn transpile-only inspect L q V legacy-watch',
  }),
  kind('ts-node', /^(?:ts-node|ts-node-esm|tsx)$/, { flags: 'transpile-only esm T files' }),
  kind('next', /^next$/, {
    names: { p: 'port', H: 'host', hostname: 'host' },
    flags: 'turbo turbopack',
    defaults: { host: '0.0.0.0', port: '3000' },
  }),
  kind('nest', /^nest$/, { names: { w: 'watch', d: 'debug' }, flags: 'watch w debug d' }),
  kind('pm2', /^(?:pm2|pm2-runtime|pm2-docker)$/, {
    names: { i: 'workers', instances: 'workers', n: 'name' },
    flags: 'no-daemon watch raw no-autorestart',
  }),
  kind(
    'bundler',
    /^(?:vite|react-scripts|vue-cli-service|ng|webpack-dev-server|webpack|parcel|craco|gatsby|astro|nuxt|nuxi)$/,
    {
      flags: 'open hot live-reload',
    },
  ),
  kind('npm', /^(?:npm|yarn|pnpm)$/, { flags: 's silent production if-present' }),
]

const byName = new Map(serverKinds.map((each) => [each.name, each]))

/** What a server does by itself, by option; nothing is known of scripts, which may be anything. */
export function defaultsOf(name: ServerName): ServerKind['defaults'] {
  return byName.get(name)?.defaults ?? {}
}
