import type { Cases } from './files.ts'
import { WEB, compose, deployment, django, found, image, sqlite } from './files.ts'

export const settingsCases: Readonly<Record<string, Cases>> = {
  'deployment.debug-in-environment': {
    passing: {
      'a variable that switches it off': {
        ...django("DEBUG = os.environ.get('SHOP_PRODUCTION') != '1'"),
        ...compose(...WEB, '  environment: { SHOP_PRODUCTION: "1" }'),
      },
      'off, and another variable': {
        ...django("DEBUG = os.environ.get('SHOP_DEBUG') == '1'"),
        ...compose(...WEB, '  environment: { SHOP_DEBUG: "0", DEBUG: "1" }'),
      },
      'a build argument, which is gone when it runs': {
        ...django("DEBUG = os.environ.get('SHOP_DEBUG') == '1'"),
        ...image('ARG SHOP_DEBUG=1', 'CMD gunicorn shop.wsgi'),
      },
      'the folder that is edited': {
        ...django("DEBUG = os.environ.get('SHOP_DEBUG') == '1'"),
        ...compose(
          'web:',
          '  build: ./shop',
          '  volumes: ["./shop/:/app"]',
          '  environment: { SHOP_DEBUG: "1" }',
        ),
        'shop/Dockerfile': 'FROM python:3.13-slim\nCMD gunicorn shop.wsgi\n',
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
      'other settings than those that need it': {
        ...django("MAIL = os.environ['SHOP_MAIL_HOST']"),
        ...compose(...WEB, '  environment: { DJANGO_SETTINGS_MODULE: shop.production }'),
      },
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
  'deployment.sqlite-replicas': {
    passing: {
      'one replica': { ...django(sqlite), ...deployment(['replicas: 1']) },
      'other settings, or another database, by its variables': {
        ...django(sqlite),
        ...deployment(
          ['replicas: 3'],
          ['env: [{ name: DATABASE_URL, valueFrom: { secretKeyRef: { name: x, key: y } } }]'],
        ),
      },
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
      'an app that is not Django': {
        ...django(sqlite),
        ...compose('other:', '  build: other'),
        'other/Dockerfile': 'FROM python:3.13-slim\nCOPY . .\nCMD ["gunicorn", "other:app"]\n',
      },
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
