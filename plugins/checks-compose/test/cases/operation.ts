import type { Cases } from './files.ts'
import { dev, file, plain, service } from './files.ts'

export const operationCases: Cases = {
  'compose.secret-in-environment': {
    passing: {
      'names that are none, values from elsewhere, development': {
        ...service(
          'image: a:1',
          'environment:',
          '  SECRET_KEY: ${SECRET_KEY}',
          '  TOKEN: $TOKEN',
          '  PASSWORD_FILE: /run/secrets/password',
          '  KEY_ID: abcdef',
          '  AUTH_ENABLED: "true"',
          '  PASSWORD:',
          '  DATABASE_URL: postgres://app:${PASSWORD}@db/app',
          '  NAME: x',
        ),
        ...dev(service('environment: [SECRET_KEY=abcdefgh]')),
      },
    },
    failing: {
      'lists, URLs, arguments of builds': service(
        'build:',
        '  context: .',
        '  args:',
        '    # finds: compose.secret-in-environment',
        '    NPM_TOKEN: abcdefgh',
        'environment:',
        '  # finds: compose.secret-in-environment',
        '  - POSTGRES_PASSWORD=postgres',
        '  # finds: compose.secret-in-environment',
        '  - BROKER_URL=amqp://app:hunter2@mq//',
      ),
    },
  },
  'compose.secret-default': {
    passing: {
      'none, and one of another kind': service(
        'image: a:1',
        'environment: {KEY: "${KEY:?}", TOKEN: "${TOKEN:-}", A: "${A:-b}"}',
      ),
    },
    failing: {
      'one that two services share': file(
        'x-environment: &environment',
        '  # finds: compose.secret-default',
        '  TOKEN: ${TOKEN:-changeme}',
        'services:',
        '  web: {image: a, environment: *environment}',
        '  worker: {image: a, environment: {<<: *environment, A: b}}',
      ),
      'without a colon': service(
        'image: a:1',
        'environment:',
        '  # finds: compose.secret-default',
        '  - DB_PASSWORD=${DB_PASSWORD-shop}',
      ),
    },
  },
  'compose.secret-in-env-file': {
    passing: {
      'no secrets, an example, no file': {
        ...service('image: a:1', 'env_file: [a.env, x.example.env, gone.env]'),
        'a.env': 'NAME=x\nSECRET_KEY=\n',
        'x.example.env': 'SECRET_KEY=abcdefgh\n',
      },
    },
    failing: {
      'one that two services read': {
        ...file(
          'services:',
          '  web: {image: a, env_file: prod.env}',
          '  worker: {image: a, env_file: [{path: prod.env}]}',
        ),
        'prod.env': '# finds: compose.secret-in-env-file\nSECRET_KEY=abcdefgh\n',
      },
    },
  },
  'compose.debug-on': {
    passing: {
      'off, of others, for development, by hand, and set otherwise in production': {
        ...file(
          'services:',
          '  web: {image: a, environment: {DEBUG: "1"}}',
          '  db: {image: a, environment: {LOG_DEBUG: "1", DEBUG: "app:*", NODE_ENV: production}}',
          '  shell: {image: a, profiles: [debug], environment: {DEBUG: "1"}}',
        ),
        ...dev(service('environment: [DEBUG=1]')),
        'compose.prod.yaml': 'services:\n  web:\n    environment: {DEBUG: "0"}\n',
      },
    },
    failing: {
      'a default, and a stage': service(
        'image: a:1',
        'environment:',
        '  # finds: compose.debug-on',
        '  - DJANGO_DEBUG=${DEBUG:-True}',
        '  # finds: compose.debug-on',
        '  - NODE_ENV=development',
      ),
    },
  },
  'compose.tag-missing': {
    passing: {
      'what is built, a digest, a variable': file(
        'services:',
        '  a: {build: ., image: shop}',
        `  b: {image: "x@sha256:${'0'.repeat(64)}"}`,
        '  c: {image: $IMAGE}',
        '  d: {image: "registry:5000/x:1"}',
      ),
    },
    failing: { 'a registry with a port': service('# finds: compose.tag-missing', 'image: registry:5000/x') },
  },
  'compose.tag-latest': {
    passing: { 'a version with a word': service('image: node:24-lts') },
    failing: { 'a default': service('# finds: compose.tag-latest', 'image: shop/web:${TAG:-latest}') },
  },
  'compose.digest-missing': { passing: {}, failing: {} },
  'compose.image-end-of-life': { passing: { 'of others': service('image: acme/postgres:9') }, failing: {} },
  'compose.database-without-volume': {
    passing: {
      'a cache, and a volume in the file for production': {
        ...file('services:', '  cache: {image: "redis:8"}', '  db: {image: "postgres:17"}'),
        'compose.prod.yaml': 'services:\n  db:\n    volumes: [/srv/db:/var/lib/postgresql/data]\n',
      },
    },
    failing: { 'not said to stay': service('# finds: compose.database-without-volume', 'image: mysql:8') },
  },
  'compose.restart-missing': {
    passing: {
      jobs: file(
        'services:',
        '  web: {image: a, restart: always, depends_on: {setup-db: {condition: service_completed_successfully}}}',
        '  setup-db: {image: a}',
        '  migrate: {image: a, command: python manage.py migrate}',
        '  test: {image: a}',
      ),
      'a policy of Swarm': service('image: a:1', 'deploy: {restart_policy: {condition: any}}'),
    },
    failing: {
      'what migrates before it serves': {
        'compose.prod.yml':
          'services:\n  # finds: compose.restart-missing\n  web:\n    image: a:1\n    command: sh -c "migrate && gunicorn x"\n',
      },
      'switched off by an empty value': file(
        'services:',
        '  # finds: compose.restart-missing',
        '  web: {image: a, restart: }',
      ),
    },
  },
  'compose.healthcheck-missing': {
    passing: {
      'in the Dockerfile': {
        ...service('build: .'),
        Dockerfile: 'FROM a:1 AS x\nHEALTHCHECK CMD x\nFROM x\n',
      },
    },
    failing: {
      'switched off': service(
        'image: a:1',
        '# finds: compose.healthcheck-missing',
        'healthcheck: {disable: true}',
      ),
      'of another stage': {
        'compose.yaml':
          'services:\n  # finds: compose.healthcheck-missing\n  web:\n    build: {context: ., target: y}\n',
        Dockerfile: 'FROM a:1 AS x\nHEALTHCHECK CMD x\nFROM a:1 AS y\n',
      },
    },
  },
  'compose.dependency-unready': {
    passing: {
      'nothing that could be asked': file('services:', '  a: {image: a, depends_on: [b]}', '  b: {image: b}'),
    },
    failing: {
      'a database without a healthcheck': file(
        'services:',
        '  a:',
        '    image: a',
        '    depends_on:',
        '      # finds: compose.dependency-unready',
        '      - b',
        '  b: {image: "redis:8"}',
      ),
    },
  },
  'compose.dependency-never-healthy': {
    passing: {
      'images that may have one': file(
        'services:',
        '  a: {image: a, depends_on: {b: {condition: service_healthy}}}',
        '  b: {image: acme/db}',
      ),
    },
    failing: {
      'switched off': file(
        'services:',
        '  a:',
        '    image: a',
        '    depends_on:',
        '      # finds: compose.dependency-never-healthy',
        '      b: {condition: service_healthy}',
        '  b: {image: acme/db, healthcheck: {test: NONE}}',
      ),
      'an image that is known to have none': file(
        'services:',
        '  a:',
        '    image: a',
        '    depends_on:',
        '      # finds: compose.dependency-never-healthy',
        '      b: {condition: service_healthy}',
        '  b: {image: "alpine:3.22"}',
      ),
    },
  },
  'compose.container-name-scaled': {
    passing: { one: service('image: a:1', 'container_name: web', 'scale: 1') },
    failing: {
      scale: service(
        'image: a:1',
        'scale: 3',
        '# finds: compose.container-name-scaled',
        'container_name: web',
      ),
    },
  },
  'compose.logs-unbounded': {
    passing: {
      'json-file with a bound': service(
        'image: a:1',
        'restart: always',
        'logging: {options: {max-size: 10m}}',
      ),
      'not said to stay': plain,
    },
    failing: {
      'json-file without one': service(
        'image: a:1',
        'restart: always',
        '# finds: compose.logs-unbounded',
        'logging: {driver: json-file}',
      ),
    },
  },
  'compose.memory-limit': {
    passing: {
      'the old key': service('image: a:1', 'mem_limit: 1g'),
      'a small one, and what the environment says': file(
        'services:',
        '  a: {image: a, mem_limit: 0.5g}',
        '  b: {image: a, deploy: {resources: {limits: {memory: "$LIMIT"}}}}',
      ),
    },
    failing: { none: service('image: a:1', '# finds: compose.memory-limit', 'mem_limit: 0m') },
  },
  'compose.cpu-limit': { passing: { shares: service('image: a:1', 'cpu_shares: 512') }, failing: {} },
  'compose.pids-limit': {
    passing: { 'below deploy': service('image: a:1', 'deploy: {resources: {limits: {pids: 50}}}') },
    failing: { 'without a limit': service('image: a:1', '# finds: compose.pids-limit', 'pids_limit: -1') },
  },
  'compose.update-policy-missing': {
    passing: { 'no Swarm': service('image: a:1', 'deploy: {replicas: 2}') },
    failing: {},
  },
  'compose.rollback-policy-missing': {
    passing: { 'a job': service('image: a:1', 'deploy: {mode: replicated-job}') },
    failing: {},
  },
}
