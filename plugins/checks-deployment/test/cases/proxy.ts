import type { Cases } from './files.ts'
import { compose, csrf, django, found, hosts, image, nginx, WEB } from './files.ts'

/** nginx, with a name that Django does not take. */
const refused = nginx(
  'server {',
  `  ${found('server-name-refused')}`,
  '  server_name shop.test www.shop.test;',
  '  location / { proxy_set_header Host $host; proxy_pass http://app; }',
  '}',
)

export const proxyCases: Readonly<Record<string, Cases>> = {
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
      'a Django that does not look': {
        ...django(csrf),
        ...nginx(
          'server {',
          '  listen 443 ssl;',
          '  server_name a.test;',
          '  location / { proxy_pass http://app; }',
          '}',
        ),
        'requirements.txt': 'Django>=2.2,<4.0\n',
      },
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
      'a site for development': {
        ...django(...hosts),
        ...nginx(
          'server {',
          '  server_name dev.shop.test;',
          '  location / { proxy_set_header Host $host; proxy_pass http://app; }',
          '}',
        ),
      },
      'hosts that whoever starts the service says, or that the service has': {
        ...django("ALLOWED_HOSTS = os.environ.get('ALLOWED_HOSTS', 'localhost').split(',')"),
        ...compose(...WEB, '  environment: { ALLOWED_HOSTS: "$HOSTS" }'),
        ...nginx(
          'server {',
          '  server_name shop.test;',
          '  location / { proxy_set_header Host $host; proxy_pass http://app; }',
          '}',
        ),
      },
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
      'one that the service does not have': {
        ...django("ALLOWED_HOSTS = os.environ.get('ALLOWED_HOSTS', 'localhost').split(',')"),
        ...compose(...WEB, '  environment: { ALLOWED_HOSTS: shop.test }'),
        ...refused,
      },
      'one that is missing, DEBUG or not': {
        ...django("ALLOWED_HOSTS = ['shop.test']", 'DEBUG = True'),
        ...refused,
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
        ...image('CMD gunicorn a:b --threads 4 --keep-alive 75'),
        ...nginx('upstream app { server a; keepalive 8; }', 'upstream b { server b; }'),
      },
      'sync workers, which keep no connection': {
        ...image('CMD gunicorn a:b'),
        ...nginx('upstream app { server a; keepalive 8; }'),
      },
    },
    failing: {
      "gunicorn's own": {
        ...image('CMD gunicorn a:b --threads 4'),
        ...nginx('upstream app {', '  server a;', `  ${found('keepalive-shorter')}`, '  keepalive 8;', '}'),
      },
    },
  },
}
