import type { RuleCases } from '@havn/checklist/testing'

/** A compose file of these lines. */
function file(...lines: string[]): { 'compose.yaml': string } {
  return { 'compose.yaml': lines.join('\n') + '\n' }
}

/** A compose file with one service, of these lines. */
function service(...lines: string[]): { 'compose.yaml': string } {
  return file('services:', '  web:', ...lines.map((line) => `    ${line}`))
}

/** The same file for development. */
function dev(files: { 'compose.yaml': string }): { 'compose.override.yaml': string } {
  return { 'compose.override.yaml': files['compose.yaml'] }
}

const plain = service('image: a:1')

/** More than the examples of the docs, by rule. */
export const cases: Readonly<Record<string, Partial<Pick<RuleCases, 'passing' | 'failing'>>>> = {
  'compose.unreadable': {
    passing: { 'anchors, merge keys, extensions': file('x-a: &a {image: b}', 'services:', '  c: {<<: *a}') },
    failing: {
      tabs: file('services:', '# finds: compose.unreadable', '\tweb: {}'),
      'a billion laughs': file(
        'x-a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]',
        'x-b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a]',
        'x-c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b, *b, *b, *b, *b, *b, *b]',
        '# finds: compose.unreadable',
        'x-d: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c, *c, *c, *c, *c, *c, *c, *c, *c, *c, *c]',
        'services: {}',
      ),
      'a service that is a list': file('services:', '  # finds: compose.unreadable', '  web: [a]'),
    },
  },
  'compose.version-obsolete': {
    passing: { 'a stack': { 'stack.yml': "version: '3.8'\nservices:\n  web:\n    image: a:1\n" } },
    failing: {},
  },
  'compose.unknown-key': {
    passing: {
      'extensions, merged ones as well': file('x-a: &a {x-b: 1}', 'services:', '  web: {<<: *a, image: b}'),
    },
    failing: {
      'at the top': file('# finds: compose.unknown-key', 'volume: {}', 'services: {}'),
      'what belongs to deploy': service('image: a:1', '# finds: compose.unknown-key', 'replicas: 2'),
    },
  },
  'compose.dependency-unknown': {
    passing: {
      'in the file below': {
        ...file('services:', '  db: {image: "a:1"}'),
        'compose.prod.yaml': 'services:\n  web:\n    depends_on: [db]\n',
      },
      'with an include, nobody knows': file(
        'include: [x.yaml]',
        'services:',
        '  web: {image: a, depends_on: [x]}',
      ),
    },
    failing: {
      'in long form': service(
        'image: a:1',
        'depends_on:',
        '  # finds: compose.dependency-unknown',
        '  db: {condition: service_started}',
      ),
    },
  },
  'compose.undeclared': {
    passing: {
      'paths, the default network, what another file declares': {
        ...service(
          'image: a:1',
          'volumes: [./a:/a, /b:/b, ~/c:/c, /d, "data:/e", "${F}:/f"]',
          'networks: [default]',
        ),
        'compose.prod.yaml': 'volumes: {data: }\n',
      },
    },
    failing: {
      networks: service(
        'image: a:1',
        'networks:',
        '  # finds: compose.undeclared',
        '  front: {aliases: [x]}',
      ),
      secrets: service('image: a:1', 'secrets:', '  # finds: compose.undeclared', '  - key'),
    },
  },
  'compose.privileged': {
    passing: { 'switched off': service('image: a:1', 'privileged: false') },
    failing: {
      'in another spelling': service('image: a:1', '# finds: compose.privileged', 'privileged: "true"'),
      'an overlay': {
        'docker-compose.prod.yml':
          'services:\n  web:\n    # finds: compose.privileged\n    privileged: true\n',
      },
    },
  },
  'compose.capability-added': {
    passing: { 'one of few': service('image: a:1', 'cap_add: [NET_BIND_SERVICE, NET_ADMIN]') },
    failing: { all: service('image: a:1', 'cap_add:', '  # finds: compose.capability-added', '  - ALL') },
  },
  'compose.capabilities-kept': {
    passing: {
      'dropped for production': { ...plain, 'compose.prod.yaml': 'services:\n  web:\n    cap_drop: [ALL]\n' },
    },
    failing: {
      'dropped for development': {
        'compose.yaml': 'services:\n  # finds: compose.capabilities-kept\n  web:\n    image: a:1\n',
        'compose.override.yaml': 'services:\n  web:\n    cap_drop: [ALL]\n',
      },
    },
  },
  'compose.new-privileges': {
    passing: {
      'the other spelling': service('image: a:1', 'security_opt:', '  - no-new-privileges=true', '  - x'),
    },
    failing: {
      'switched off': file(
        'services:',
        '  # finds: compose.new-privileges',
        '  web: {image: a, security_opt: ["no-new-privileges:false"]}',
      ),
    },
  },
  'compose.unconfined': {
    passing: { 'a profile': service('image: a:1', 'security_opt: ["seccomp:./profile.json"]') },
    failing: {
      apparmor: service(
        'image: a:1',
        'security_opt:',
        '  # finds: compose.unconfined',
        '  - apparmor=unconfined',
      ),
    },
  },
  'compose.user-root': {
    passing: { 'a user with a zero': service('image: a:1', 'user: "0100:0"') },
    failing: { 'with a group': service('image: a:1', '# finds: compose.user-root', 'user: "0:0"') },
  },
  'compose.root-writable': { passing: {}, failing: {} },
  'compose.host-network': { passing: { bridge: service('image: a:1', 'network_mode: bridge') }, failing: {} },
  'compose.host-namespace': {
    passing: { 'that of another service': service('image: a:1', 'pid: service:db', 'ipc: shareable') },
    failing: { ipc: service('image: a:1', '# finds: compose.host-namespace', 'ipc: host') },
  },
  'compose.docker-socket': {
    passing: { 'another socket': service('image: a:1', 'volumes: [/run/app.sock:/run/app.sock]') },
    failing: {
      'in long form, of a variable': service(
        'image: a:1',
        'volumes:',
        '  # finds: compose.docker-socket',
        '  - {type: bind, source: "${SOCK:-/run/podman/podman.sock}", target: /s}',
      ),
    },
  },
  'compose.host-directory': {
    passing: {
      'files and folders of the app': service(
        'image: a:1',
        'volumes: [/etc/localtime:/etc/localtime:ro, /var/lib/shop:/data, /srv:/srv, /etc/letsencrypt:/x, root:/root, /home/app/shop:/y]',
      ),
    },
    failing: {
      'the root, and keys': service(
        'image: a:1',
        'volumes:',
        '  # finds: compose.host-directory',
        '  - /:/host:ro',
        '  # finds: compose.host-directory',
        '  - ~/.ssh:/root/.ssh',
        '  # finds: compose.host-directory',
        '  - {type: bind, source: /proc/, target: /p}',
      ),
    },
  },
  'compose.source-mounted': {
    passing: {
      'other folders, and files for development': {
        ...service('build: .', 'restart: always', 'volumes: [./media:/app/media]'),
        ...dev(service('build: .', 'volumes: [".:/app"]')),
      },
    },
    failing: {
      'below a folder': {
        'deploy/docker-compose.yml':
          'services:\n  web:\n    build: ../app\n    volumes:\n      # finds: compose.source-mounted\n      - ../app/:/app\n',
      },
    },
  },
  'compose.database-published': {
    passing: {
      'on the loopback, and other ports': service(
        'image: postgres:17',
        'ports: ["127.0.0.1:5432:5432", "8080:80", "5432"]',
      ),
      'for development': dev(service('image: postgres:17', 'ports: ["5432:5432"]')),
    },
    failing: {
      'an image of others, another port': service(
        'image: acme/postgis:1',
        'ports:',
        '  # finds: compose.database-published',
        '  - 15432:5432',
      ),
    },
  },
  'compose.port-on-all-addresses': {
    passing: {
      'what a proxy serves': service('image: caddy:2', 'ports: ["80:80", "443:443", "443:443/udp"]'),
    },
    failing: {
      'in long form': service(
        'image: a:1',
        'ports:',
        '  # finds: compose.port-on-all-addresses',
        '  - {target: 80, published: 8080}',
      ),
    },
  },
  'compose.links': { passing: {}, failing: {} },
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
  'compose.memory-limit': { passing: { 'the old key': service('image: a:1', 'mem_limit: 1g') }, failing: {} },
  'compose.cpu-limit': { passing: { shares: service('image: a:1', 'cpu_shares: 512') }, failing: {} },
  'compose.pids-limit': {
    passing: { 'below deploy': service('image: a:1', 'deploy: {resources: {limits: {pids: 50}}}') },
    failing: {},
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
