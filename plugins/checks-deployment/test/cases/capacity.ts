import type { Cases } from './files.ts'
import { WEB, compose, deployment, django, found, image, nginx } from './files.ts'

const pooled = (pool: string) =>
  `DATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql', 'NAME': 'x', 'OPTIONS': {'pool': ${pool}}}}`

export const capacityCases: Readonly<Record<string, Cases>> = {
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
      'past a pool, or not': compose(
        'web:',
        '  image: shop:1',
        '  command: gunicorn a:b --workers 30 --threads 10',
        'db:',
        '  image: postgres:17',
        'pool:',
        '  image: edoburu/pgbouncer:1',
      ),
      'by a pool that takes as many': compose(
        'web:',
        '  image: shop:1',
        '  command: gunicorn a:b --workers 30 --threads 10',
        '  environment: { DATABASE_URL: "postgres://u@pool:6432/x" }',
        'db:',
        '  image: postgres:17',
        'pool:',
        '  image: edoburu/pgbouncer:1',
        '  environment: { MAX_CLIENT_CONN: "1000", DEFAULT_POOL_SIZE: "50" }',
      ),
      "by Django's pools": {
        ...django(pooled('{"max_size": 4}')),
        ...compose(
          'web:',
          '  image: shop:1',
          '  command: gunicorn shop.wsgi --workers 15 --threads 10',
          'db:',
          '  image: postgres:17',
        ),
      },
      'a file that nobody sees': compose(
        'web:',
        '  image: shop:1',
        '  command: gunicorn a:b --workers 15 --threads 10',
        'db:',
        '  image: postgres:17',
        '  command: postgres -c config_file=/etc/postgresql.conf',
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
      'more clients than PgBouncer takes': compose(
        'web:',
        '  image: shop:1',
        `  ${found('connections-exhausted')}`,
        '  command: gunicorn a:b --workers 30 --threads 10',
        '  environment: { POSTGRES_HOST: pool }',
        'db:',
        '  image: postgres:17',
        'pool:',
        '  image: edoburu/pgbouncer:1',
      ),
      'more connections than PostgreSQL gives PgBouncer': compose(
        ...WEB,
        'db:',
        '  image: postgres:17',
        'pool:',
        '  image: edoburu/pgbouncer:1',
        '  environment:',
        `    ${found('connections-exhausted')}`,
        '    DEFAULT_POOL_SIZE: "200"',
      ),
      "Django's pools, which are one for each process": {
        ...django(pooled('{"min_size": 20, "max_size": 40}')),
        ...compose(
          'web:',
          '  image: shop:1',
          `  ${found('connections-exhausted')}`,
          '  command: gunicorn shop.wsgi --workers 6',
          'db:',
          '  image: postgres:17',
        ),
      },
    },
  },
  'deployment.pool-smaller-than-threads': {
    passing: {
      'as large': {
        ...django(pooled('{"max_size": 8}')),
        ...compose('web:', '  image: shop:1', '  command: gunicorn shop.wsgi --threads 8'),
      },
      none: {
        ...django(),
        ...compose('web:', '  image: shop:1', '  command: gunicorn shop.wsgi --threads 8'),
      },
    },
    failing: {
      "psycopg's own size": {
        ...django(pooled('True')),
        ...compose(
          'web:',
          '  image: shop:1',
          `  ${found('pool-smaller-than-threads')}`,
          '  command: gunicorn shop.wsgi --threads 8',
        ),
      },
    },
  },
  'deployment.sql-timeout-longer': {
    passing: {
      'shorter than the server and the proxy': {
        ...django(
          'DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "x", "OPTIONS": {"options": "-c statement_timeout=20s", "connect_timeout": 5}}}',
        ),
        ...compose(...WEB),
        ...nginx('server {', '  location / { proxy_pass http://web:8000; }', '}'),
      },
      'a server that waits for ever': {
        ...django(
          'DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "x", "OPTIONS": {"options": "-c statement_timeout=50000"}}}',
        ),
        ...compose('web:', '  image: shop:1', '  command: gunicorn shop.wsgi --threads 8 --timeout 10'),
      },
    },
    failing: {
      'longer than a sync worker lives': {
        ...django(
          'DATABASES = {"default": {',
          '  "ENGINE": "django.db.backends.postgresql",',
          '  "NAME": "x",',
          '  "OPTIONS": {',
          `    ${found('sql-timeout-longer')}`,
          '    "options": "-c search_path=x -c statement_timeout=60000",',
          `    ${found('sql-timeout-longer')}`,
          '    "connect_timeout": 30,',
          '  },',
          '}}',
        ),
        ...compose(...WEB),
      },
      'longer than nginx waits': {
        ...django(
          'DATABASES = {"default": {',
          '  "ENGINE": "django.db.backends.mysql",',
          '  "NAME": "x",',
          `  ${found('sql-timeout-longer')}`,
          '  "OPTIONS": {"read_timeout": 90},',
          '}}',
        ),
        ...compose('web:', '  image: shop:1', '  command: gunicorn shop.wsgi --threads 8'),
        ...nginx('server {', '  location / { proxy_pass http://web:8000; }', '}'),
      },
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
}
