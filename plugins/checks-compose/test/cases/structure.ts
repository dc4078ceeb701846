import type { Cases } from './files.ts'
import { dev, file, plain, service } from './files.ts'

export const structureCases: Cases = {
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
      'one of another folder': {
        ...file('services:', '  db: {image: "a:1"}'),
        'extra/compose.yaml':
          'services:\n  web:\n    image: a:1\n    depends_on:\n      # finds: compose.dependency-unknown\n      - db\n',
      },
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
      'switched off': service(
        'image: a:1',
        'security_opt:',
        '  # finds: compose.new-privileges',
        '  - no-new-privileges:false',
      ),
      'other options': service(
        'image: a:1',
        '# finds: compose.new-privileges',
        'security_opt: ["label:type:x"]',
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
        'volumes: [/etc/localtime:/etc/localtime:ro, /srv:/srv, root:/root, /home/app/shop:/y, shop:/z]',
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
      'folders below them, and a named volume': file(
        'services:',
        '  web:',
        '    image: a:1',
        '    volumes:',
        '      # finds: compose.host-directory',
        '      - /etc/letsencrypt:/x',
        '      - data:/data',
        'volumes:',
        '  data:',
        '    driver_opts:',
        '      o: bind',
        '      # finds: compose.host-directory',
        '      device: /var/lib/docker',
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
}
