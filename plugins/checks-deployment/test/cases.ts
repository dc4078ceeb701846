import type { RuleCases } from '@havn/checklist/testing'

type Cases = Pick<RuleCases, 'passing' | 'failing'>

/** The smallest Django project with these lines in its settings. */
function django(...lines: string[]) {
  return {
    'manage.py': "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')\n",
    'shop/__init__.py': '',
    'shop/wsgi.py':
      "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')\nfrom django.core.wsgi import get_wsgi_application\napplication = get_wsgi_application()\n",
    'shop/urls.py': 'urlpatterns = []\n',
    'shop/settings.py': [
      'import os',
      "SECRET_KEY = 'x' * 60",
      "ROOT_URLCONF = 'shop.urls'",
      ...lines,
      '',
    ].join('\n'),
  }
}

function compose(...lines: string[]) {
  return { 'compose.yaml': ['services:', ...lines.map((line) => `  ${line}`), ''].join('\n') }
}

const WEB = ['web:', '  image: shop:1', '  command: gunicorn shop.wsgi --bind 0.0.0.0:8000 --workers 2']

/** A Deployment of gunicorn; lines of its spec, and of its container. */
function deployment(spec: readonly string[] = [], container: readonly string[] = []) {
  return {
    'k8s/web.yaml': [
      'apiVersion: apps/v1',
      'kind: Deployment',
      'metadata: { name: web }',
      'spec:',
      ...spec.map((line) => `  ${line}`),
      '  selector: { matchLabels: { app: web } }',
      '  template:',
      '    metadata: { labels: { app: web } }',
      '    spec:',
      '      containers:',
      '        - name: web',
      '          image: registry.test/shop:1',
      '          args: [gunicorn, shop.wsgi, --bind, "0.0.0.0:8000"]',
      ...container.map((line) => `          ${line}`),
      '',
    ].join('\n'),
  }
}

function nginx(...lines: string[]) {
  return { 'nginx.conf': [...lines, ''].join('\n') }
}

const sqlite = "DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': '/data/db.sqlite3'}}"
const hosts = ["ALLOWED_HOSTS = ['shop.test']", 'DEBUG = False']
const csrf = "MIDDLEWARE = ['django.middleware.csrf.CsrfViewMiddleware']"
const image = (...lines: string[]) => ({ Dockerfile: ['FROM python:3.13-slim', ...lines, ''].join('\n') })
const found = (rule: string) => `# finds: deployment.${rule}`

/** Of every rule, by its id: its sources are several files, which its docs only show in short. */
export const cases: Readonly<Record<string, Cases>> = {
  'deployment.probe-host-refused': {
    passing: {
      'a Host header that is allowed': {
        ...django(...hosts),
        ...deployment(
          [],
          [
            'readinessProbe:',
            '  httpGet: { path: /, port: 8000, httpHeaders: [{ name: Host, value: shop.test }] }',
          ],
        ),
      },
      'all hosts': {
        ...django("ALLOWED_HOSTS = ['*']", 'DEBUG = False'),
        ...deployment([], ['livenessProbe: { httpGet: { path: /, port: 8000 } }']),
      },
      'a port alone, and what answers before': {
        ...django(...hosts, "MIDDLEWARE = ['shop.HealthCheckMiddleware']"),
        ...deployment(
          [],
          [
            'livenessProbe: { httpGet: { path: /, port: 8000 } }',
            'startupProbe: { tcpSocket: { port: 8000 } }',
          ],
        ),
      },
      'hosts that the environment names': {
        ...django("ALLOWED_HOSTS = os.environ.get('HOSTS', 'a.test').split(',')", 'DEBUG = False'),
        ...deployment([], ['livenessProbe: { httpGet: { path: /, port: 8000 } }']),
      },
    },
    failing: {
      "the pod's address": {
        ...django(...hosts),
        ...deployment(
          [],
          [
            'livenessProbe:',
            '  httpGet:',
            '    path: /',
            `    ${found('probe-host-refused')}`,
            '    port: 8000',
          ],
        ),
      },
      'localhost in compose, and in the image': {
        ...django(...hosts),
        ...compose(
          ...WEB,
          '  healthcheck:',
          `    ${found('probe-host-refused')}`,
          '    test: ["CMD", "curl", "-f", "http://localhost:8000/"]',
        ),
        ...image(
          found('probe-host-refused'),
          'HEALTHCHECK CMD curl -f http://127.0.0.1:8000/ || exit 1',
          'CMD ["gunicorn", "shop.wsgi", "--bind", ":8000"]',
        ),
      },
    },
  },
  'deployment.health-tool-missing': {
    passing: {
      'installed, and another program': {
        'a/Dockerfile':
          'FROM python:3.13-slim\nRUN apt-get update && apt-get install -y curl\nHEALTHCHECK CMD curl http://localhost/\nCMD ["gunicorn", "a:b"]\n',
        'b/Dockerfile': 'FROM python:3.13\nHEALTHCHECK CMD curl http://localhost/\nCMD ["gunicorn", "a:b"]\n',
        'c/Dockerfile':
          'FROM python:3.13-alpine\nHEALTHCHECK CMD wget -q http://localhost/\nCMD ["gunicorn", "a:b"]\n',
      },
    },
    failing: {
      'a slim image': image(
        found('health-tool-missing'),
        'HEALTHCHECK CMD ["curl", "-f", "http://localhost:8000/"]',
        'CMD ["gunicorn", "a:b"]',
      ),
      'through compose': {
        ...image('CMD ["gunicorn", "a:b"]'),
        ...compose(
          'web:',
          '  build: .',
          '  healthcheck:',
          `    ${found('health-tool-missing')}`,
          '    test: wget -q http://localhost:8000/',
        ),
      },
    },
  },
  'deployment.port-unserved': {
    passing: {
      'the same, one of several, one that is not known': {
        ...compose(
          ...WEB,
          '  ports: ["80:8000", "9100:9100"]',
          'other:',
          '  image: x:1',
          '  command: gunicorn a:b --bind 0.0.0.0:$PORT',
          '  ports: ["81:80"]',
        ),
      },
      'a proxy': compose('web:', '  image: nginx:1', '  ports: ["80:80"]'),
    },
    failing: {
      compose: compose(...WEB, '  ports:', `    ${found('port-unserved')}`, '    - "80:80"'),
      'a probe of Kubernetes': deployment(
        [],
        [
          'ports: [{ containerPort: 8000 }]',
          'livenessProbe:',
          '  httpGet:',
          '    path: /',
          `    ${found('port-unserved')}`,
          '    port: 8080',
        ],
      ),
    },
  },
  'deployment.expose-other-port': {
    passing: {
      'the same': image('EXPOSE 8000 9000', 'CMD ["gunicorn", "a:b", "--bind", ":8000"]'),
      'what only other files say': image('EXPOSE 80', 'CMD ["gunicorn", "a:b"]'),
    },
    failing: {
      another: image(found('expose-other-port'), 'EXPOSE 80', 'CMD ["gunicorn", "a:b", "--bind", ":8000"]'),
    },
  },
  'deployment.debug-in-environment': {
    passing: {
      'off, and another variable': {
        ...django("DEBUG = os.environ.get('SHOP_DEBUG') == '1'"),
        ...compose(...WEB, '  environment: { SHOP_DEBUG: "0", DEBUG: "1" }'),
      },
      'for development': {
        ...django("DEBUG = os.environ.get('SHOP_DEBUG') == '1'"),
        ...compose(...WEB),
        'compose.dev.yaml': 'services:\n  web:\n    environment: { SHOP_DEBUG: "1" }\n',
      },
    },
    failing: {
      'the variable that is read': {
        ...django("DEBUG = os.environ.get('SHOP_DEBUG') == '1'"),
        ...compose(...WEB, '  environment:', `    ${found('debug-in-environment')}`, '    SHOP_DEBUG: "1"'),
      },
    },
  },
  'deployment.variable-missing': {
    passing: {
      'set, or from a file that nobody sees': {
        ...django("MAIL = os.environ['SHOP_MAIL_HOST']"),
        ...compose(
          ...WEB,
          '  environment: { SHOP_MAIL_HOST: x }',
          'other:',
          '  image: shop:1',
          '  command: gunicorn a:b',
          '  env_file: secret.env',
          '  environment: { X: "1" }',
        ),
      },
    },
    failing: {
      'a name that is nearly right': {
        ...django("MAIL = os.environ['SHOP_MAIL_HOST']"),
        ...compose(
          ...WEB,
          '  environment:',
          `    ${found('variable-missing')}`,
          '    SHOP_MAIL_HOTS: mail.test',
        ),
      },
    },
  },
  'deployment.localhost-in-container': {
    passing: {
      'services, and the network of the machine': compose(
        ...WEB,
        '  environment: { DATABASE_URL: "postgres://u@db/x", SITE_URL: "http://localhost" }',
        'host:',
        '  image: x:1',
        '  network_mode: host',
        '  environment: { DATABASE_URL: "postgres://u@localhost/x" }',
      ),
    },
    failing: {
      'a URL and a name': compose(
        ...WEB,
        '  environment:',
        `    ${found('localhost-in-container')}`,
        '    REDIS_URL: redis://localhost:6379/0',
        `    ${found('localhost-in-container')}`,
        '    POSTGRES_HOST: 127.0.0.1',
      ),
    },
  },
  'deployment.service-unknown': {
    passing: {
      'services, aliases, other networks': compose(
        ...WEB,
        '  environment: { A: "redis://cache", B: "postgres://u@pg/x", C: "redis://cache.test", D: "redis://${HOST}" }',
        'cache:',
        '  image: redis:8',
        'db:',
        '  image: postgres:17',
        '  networks: { default: { aliases: [pg] } }',
      ),
    },
    failing: {
      'no such name': compose(
        ...WEB,
        '  environment:',
        `    ${found('service-unknown')}`,
        '    REDIS_URL: redis://redis:6379',
        'cache:',
        '  image: redis:8',
      ),
    },
  },
  'deployment.proxy-header-forged': {
    passing: {
      'set, or not believed': {
        ...django("SECURE_PROXY_SSL_HEADER = ('HTTP_X_FORWARDED_PROTO', 'https')"),
        ...nginx(
          'server {',
          '  proxy_set_header X-Forwarded-Proto $scheme;',
          '  location / { proxy_pass http://app; }',
          '  location /x/ { include proxy_params; proxy_pass http://app; }',
          '}',
        ),
      },
      'no setting': { ...django(), ...nginx('server {', '  location / { proxy_pass http://app; }', '}') },
    },
    failing: {
      'another header': {
        ...django("SECURE_PROXY_SSL_HEADER = ('HTTP_X_FORWARDED_PROTO', 'https')"),
        ...nginx(
          'server {',
          '  location / {',
          '    proxy_set_header X-Scheme $scheme;',
          `    ${found('proxy-header-forged')}`,
          '    proxy_pass http://app;',
          '  }',
          '}',
        ),
      },
    },
  },
  'deployment.https-redirect-loop': {
    passing: {
      'a header that is believed': {
        ...django(
          'SECURE_SSL_REDIRECT = True',
          "SECURE_PROXY_SSL_HEADER = ('HTTP_X_FORWARDED_PROTO', 'https')",
        ),
        ...nginx('server {', '  listen 443 ssl;', '  location / { proxy_pass http://app; }', '}'),
      },
      'TLS elsewhere': {
        ...django('SECURE_SSL_REDIRECT = True'),
        ...nginx('server {', '  listen 80;', '  location / { proxy_pass http://app; }', '}'),
      },
    },
    failing: {
      'TLS at nginx': {
        ...django(found('https-redirect-loop'), 'SECURE_SSL_REDIRECT = True'),
        ...nginx('server {', '  listen 443 ssl;', '  location / { proxy_pass http://app; }', '}'),
      },
    },
  },
  'deployment.csrf-origin-missing': {
    passing: {
      'an origin, a pattern': {
        ...django(csrf, "CSRF_TRUSTED_ORIGINS = ['https://a.test', 'https://*.b.test']"),
        ...nginx(
          'server {',
          '  listen 443 ssl;',
          '  server_name a.test x.b.test;',
          '  location / { proxy_pass http://app; }',
          '}',
        ),
      },
      'a header that is believed': {
        ...django(csrf, "SECURE_PROXY_SSL_HEADER = ('HTTP_X_FORWARDED_PROTO', 'https')"),
        ...nginx(
          'server {',
          '  listen 443 ssl;',
          '  server_name a.test;',
          '  location / { proxy_pass http://app; }',
          '}',
        ),
      },
    },
    failing: {
      neither: {
        ...django(csrf),
        ...nginx(
          'server {',
          '  listen 443 ssl;',
          `  ${found('csrf-origin-missing')}`,
          '  server_name a.test;',
          '  location / { proxy_pass http://app; }',
          '}',
        ),
      },
    },
  },
  'deployment.server-name-refused': {
    passing: {
      'allowed, with all below; another app': {
        ...django("ALLOWED_HOSTS = ['.shop.test']", 'DEBUG = False'),
        ...nginx(
          'server {',
          '  server_name shop.test www.shop.test _ ${NAME};',
          '  location / { proxy_set_header Host $host; proxy_pass http://app; }',
          '}',
          'server {',
          '  server_name other.test;',
          '  location / { proxy_pass http://app; }',
          '}',
        ),
      },
    },
    failing: {
      'one that is missing': {
        ...django(...hosts),
        ...nginx(
          'server {',
          `  ${found('server-name-refused')}`,
          '  server_name shop.test www.shop.test;',
          '  location / { proxy_set_header Host $host; proxy_pass http://app; }',
          '}',
        ),
      },
    },
  },
  'deployment.hsts-twice': {
    passing: {
      'one of them': {
        ...django(),
        ...nginx(
          'server {',
          '  add_header Strict-Transport-Security "max-age=1";',
          '  location / { proxy_pass http://app; }',
          '}',
        ),
      },
    },
    failing: {
      both: {
        ...django('SECURE_HSTS_SECONDS = 300'),
        ...nginx(
          'server {',
          `  ${found('hsts-twice')}`,
          '  add_header Strict-Transport-Security "max-age=1";',
          '  location / { proxy_pass http://app; }',
          '}',
        ),
      },
    },
  },
  'deployment.body-limit-smaller': {
    passing: {
      'as large': {
        ...django('DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024'),
        ...nginx('server {', '  client_max_body_size 5m;', '  location / { proxy_pass http://app; }', '}'),
      },
      "Django's own": { ...django(), ...nginx('server {', '  location / { proxy_pass http://app; }', '}') },
    },
    failing: {
      smaller: {
        ...django('DATA_UPLOAD_MAX_MEMORY_SIZE = 5_000_000'),
        ...nginx(
          'server {',
          `  ${found('body-limit-smaller')}`,
          '  client_max_body_size 1m;',
          '  location / { proxy_pass http://app; }',
          '}',
        ),
      },
    },
  },
  'deployment.timeouts-out-of-order': {
    passing: {
      'in order': {
        ...image('CMD gunicorn a:b --timeout 120'),
        ...nginx('server {', '  proxy_read_timeout 2m;', '  location / { proxy_pass http://app; }', '}'),
      },
      'a location of its own': {
        ...image('CMD gunicorn a:b --timeout 120'),
        ...nginx(
          'server {',
          '  location / { proxy_pass http://app; }',
          '  location /slow/ { proxy_read_timeout 300; proxy_pass http://app; }',
          '}',
        ),
      },
    },
    failing: {
      "nginx's own": {
        ...image('CMD gunicorn a:b --timeout 120'),
        ...nginx(
          'server {',
          '  location / {',
          `    ${found('timeouts-out-of-order')}`,
          '    proxy_pass http://app;',
          '  }',
          '}',
        ),
      },
    },
  },
  'deployment.keepalive-shorter': {
    passing: {
      'longer, and none': {
        ...image('CMD gunicorn a:b --keep-alive 75'),
        ...nginx('upstream app { server a; keepalive 8; }', 'upstream b { server b; }'),
      },
    },
    failing: {
      "gunicorn's own": {
        ...image('CMD gunicorn a:b'),
        ...nginx('upstream app {', '  server a;', `  ${found('keepalive-shorter')}`, '  keepalive 8;', '}'),
      },
    },
  },
  'deployment.grace-too-short': {
    passing: { enough: compose(...WEB, '  stop_grace_period: 35s'), 'as long': deployment() },
    failing: {
      'too short': compose(...WEB, `  ${found('grace-too-short')}`, '  stop_grace_period: 5s'),
      "compose's own": compose(found('grace-too-short'), ...WEB),
    },
  },
  'deployment.connections-exhausted': {
    passing: {
      'enough, and a pool': compose(...WEB, 'db:', '  image: postgres:17'),
      pool: compose(
        'web:',
        '  image: shop:1',
        '  command: gunicorn a:b --workers 30 --threads 10',
        'db:',
        '  image: postgres:17',
        'pool:',
        '  image: edoburu/pgbouncer:1',
      ),
      'a higher limit': compose(
        'web:',
        '  image: shop:1',
        '  command: gunicorn a:b --workers 15 --threads 10',
        'db:',
        '  image: postgres:17',
        '  command: postgres -c max_connections=300',
      ),
    },
    failing: {
      'in the middle of an update': compose(
        'web:',
        '  image: shop:1',
        '  command: gunicorn a:b --workers 8 --threads 3',
        '  deploy:',
        `    ${found('connections-exhausted')}`,
        '    replicas: 4',
        '    update_config: { order: start-first, parallelism: 1 }',
        'db:',
        '  image: postgres:17',
      ),
    },
  },
  'deployment.memory-for-workers': {
    passing: { enough: compose(...WEB, '  mem_limit: 256m') },
    failing: {
      'too little': compose(...WEB, `  ${found('memory-for-workers')}`, '  mem_limit: 100m'),
      Kubernetes: deployment(
        [],
        [
          'env: [{ name: WEB_CONCURRENCY, value: "5" }]',
          `resources:`,
          '  limits:',
          `    ${found('memory-for-workers')}`,
          '    memory: 256Mi',
        ],
      ),
    },
  },
  'deployment.workers-for-cpus': {
    passing: { few: compose(...WEB, '  cpus: 0.5') },
    failing: {
      many: compose(
        'web:',
        '  image: shop:1',
        '  cpus: 1',
        `  ${found('workers-for-cpus')}`,
        '  command: gunicorn a:b --workers 12',
      ),
    },
  },
  'deployment.read-only-worker-tmp': {
    passing: {
      'memory at /tmp, or elsewhere': compose(
        ...WEB,
        '  read_only: true',
        '  tmpfs: [/tmp]',
        'other:',
        '  image: x:1',
        '  read_only: true',
        '  command: gunicorn a:b --worker-tmp-dir /dev/shm',
      ),
    },
    failing: {
      compose: compose(...WEB, `  ${found('read-only-worker-tmp')}`, '  read_only: true'),
      Kubernetes: deployment(
        [],
        ['securityContext:', `  ${found('read-only-worker-tmp')}`, '  readOnlyRootFilesystem: true'],
      ),
    },
  },
  'deployment.migrate-in-each-replica': {
    passing: {
      'one replica, and a job': {
        ...compose(
          'web:',
          '  image: shop:1',
          '  command: sh -c "python manage.py migrate && gunicorn a:b"',
          'job:',
          '  image: shop:1',
          '  command: python manage.py migrate',
        ),
      },
    },
    failing: {
      'its command': compose(
        'web:',
        '  image: shop:1',
        '  deploy: { replicas: 2 }',
        `  ${found('migrate-in-each-replica')}`,
        '  command: sh -c "python manage.py migrate && gunicorn a:b"',
      ),
      'the script of its image': {
        ...image('COPY start.sh /', 'CMD ["/start.sh"]'),
        'start.sh': `${found('migrate-in-each-replica')}\npython manage.py migrate --noinput\nexec gunicorn a:b\n`,
        ...compose('web:', '  build: .', '  deploy: { replicas: 2 }'),
      },
    },
  },
  'deployment.beat-replicas': {
    passing: {
      'one, and workers': compose(
        'beat:',
        '  image: shop:1',
        '  command: celery -A shop beat',
        'worker:',
        '  image: shop:1',
        '  command: celery -A shop worker',
        '  deploy: { replicas: 3 }',
      ),
    },
    failing: {
      two: compose(
        'beat:',
        '  image: shop:1',
        '  command: celery -A shop worker -B',
        '  deploy:',
        `    ${found('beat-replicas')}`,
        '    replicas: 2',
      ),
    },
  },
  'deployment.sqlite-replicas': {
    passing: {
      'one replica': { ...django(sqlite), ...deployment(['replicas: 1']) },
      'chosen by the environment': {
        ...django(`if not os.environ.get('DATABASE_URL'):`, `    ${sqlite}`),
        ...deployment(['replicas: 3']),
      },
    },
    failing: { three: { ...django(sqlite), ...deployment([found('sqlite-replicas'), 'replicas: 3']) } },
  },
  'deployment.sqlite-without-volume': {
    passing: {
      'a volume': { ...django(sqlite), ...compose(...WEB, '  volumes: ["data:/data"]') },
      'another database': {
        ...django(sqlite),
        ...compose(...WEB, '  environment: { DATABASE_URL: "postgres://db/x" }'),
      },
    },
    failing: { none: { ...django(sqlite), ...compose(found('sqlite-without-volume'), ...WEB) } },
  },
  'deployment.sessions-per-process': {
    passing: {
      'one process': {
        ...django("SESSION_ENGINE = 'django.contrib.sessions.backends.cache'"),
        ...deployment(),
      },
      database: { ...django(), ...compose(...WEB) },
    },
    failing: {
      'two workers': {
        ...django(found('sessions-per-process'), "SESSION_ENGINE = 'django.contrib.sessions.backends.cache'"),
        ...compose(...WEB),
      },
    },
  },
  'deployment.media-without-volume': {
    passing: {
      'a volume': {
        ...django("MEDIA_ROOT = '/data'"),
        ...deployment(['replicas: 2'], ['volumeMounts: [{ name: data, mountPath: /data }]']),
      },
      'no uploads': { ...django(), ...deployment(['replicas: 2']) },
    },
    failing: {
      none: {
        ...django("MEDIA_ROOT = '/data'"),
        ...deployment([found('media-without-volume'), 'replicas: 2']),
      },
    },
  },
  'deployment.static-not-collected': {
    passing: {
      'in the image': {
        ...django("MIDDLEWARE = ['whitenoise.middleware.WhiteNoiseMiddleware']", "STATIC_ROOT = '/static'"),
        ...image('RUN python manage.py collectstatic --noinput', 'CMD gunicorn a:b'),
      },
      'in its script': {
        ...django("MIDDLEWARE = ['whitenoise.middleware.WhiteNoiseMiddleware']", "STATIC_ROOT = '/static'"),
        ...image('COPY start.sh /', 'CMD ["/start.sh"]'),
        'start.sh': 'python manage.py collectstatic\ngunicorn a:b\n',
      },
    },
    failing: {
      nowhere: {
        ...django("MIDDLEWARE = ['whitenoise.middleware.WhiteNoiseMiddleware']", "STATIC_ROOT = '/static'"),
        ...image(found('static-not-collected'), 'CMD gunicorn a:b'),
      },
    },
  },
  'deployment.language-version-differs': {
    passing: {
      'fits each way of saying it': {
        ...image('CMD gunicorn a:b'),
        '.python-version': '3.13.1\n',
        'pyproject.toml': '[project]\nrequires-python = ">=3.11,<4"\n',
        '.nvmrc': '22\n',
      },
      'what is not known': {
        Dockerfile: 'ARG V\nFROM python:$V\nCMD x\n',
        '.python-version': '3.12\n',
        'package.json': '{"engines": {"node": "^20 || >=22"}}',
      },
      'below the next one': {
        ...image('CMD x'),
        'pyproject.toml': '[project]\nrequires-python = ">=3.10,<3.14"\n',
      },
    },
    failing: {
      python: {
        Dockerfile: `${found('language-version-differs')}\nFROM python:3.11-slim\nCMD x\n`,
        'pyproject.toml': '[project]\nrequires-python = ">=3.12"\n',
      },
      node: {
        Dockerfile: `${found('language-version-differs')}\nFROM node:18-alpine\nCMD x\n`,
        'package.json': '{"engines": {"node": ">=22"}}',
      },
    },
  },
}
