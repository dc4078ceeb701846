import type { Cases } from './files.ts'
import { WEB, compose, deployment, found, image } from './files.ts'

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
}
