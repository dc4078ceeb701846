import type { Cases } from './files.ts'
import { compose, django, found, image, nginx } from './files.ts'

/** The app from a Dockerfile, nginx as it comes; lines of each. */
const both = (web: readonly string[], proxy: readonly string[]) =>
  compose(
    'web:',
    '  build: .',
    ...web.map((line) => `  ${line}`),
    'nginx:',
    '  image: nginx:1.29',
    '  volumes:',
    '    - ./nginx.conf:/etc/nginx/conf.d/default.conf:ro',
    ...proxy.map((line) => `    - ${line}`),
  )
const start = ['ENV HOME_OF_APP=/app', 'WORKDIR $HOME_OF_APP', 'COPY . .', 'CMD ["gunicorn", "shop.wsgi"]']
const settings = [
  'from pathlib import Path',
  'BASE_DIR = Path(__file__).resolve().parent.parent',
  "STATIC_URL = 'static/'",
  "STATIC_ROOT = BASE_DIR / 'staticfiles'",
]
const serves = (line: string) => nginx('server {', '  location /static/ {', line, '  }', '}')
const collected = image(
  'WORKDIR /app',
  'COPY . .',
  'RUN python manage.py collectstatic --noinput',
  'CMD ["gunicorn", "shop.wsgi"]',
)

export const staticCases: Readonly<Record<string, Cases>> = {
  'deployment.static-not-collected': {
    passing: {
      'by runserver, with DEBUG': {
        ...django(
          'DEBUG = True',
          "MIDDLEWARE = ['whitenoise.middleware.WhiteNoiseMiddleware']",
          "STATIC_ROOT = '/static'",
        ),
        ...image('CMD python manage.py runserver 0.0.0.0:8000'),
      },
      'by a pipeline': {
        ...django("MIDDLEWARE = ['whitenoise.middleware.WhiteNoiseMiddleware']", "STATIC_ROOT = '/static'"),
        ...image('CMD gunicorn a:b'),
        Makefile: 'release:\n\tpython manage.py collectstatic --noinput\n',
      },
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
      'where nginx serves them': {
        ...django("STATIC_URL = '/static/'", "STATIC_ROOT = '/static'"),
        ...image(found('static-not-collected'), 'CMD gunicorn a:b'),
        ...nginx('server {', '  location /static/ { alias /static/; }', '}'),
      },
      nowhere: {
        ...django("MIDDLEWARE = ['whitenoise.middleware.WhiteNoiseMiddleware']", "STATIC_ROOT = '/static'"),
        ...image(found('static-not-collected'), 'CMD gunicorn a:b'),
      },
    },
  },
  'deployment.files-served-elsewhere': {
    passing: {
      'one volume, at two places': {
        ...django(...settings),
        ...image(...start),
        ...both(['volumes: ["static:/app/staticfiles"]'], ['static:/srv/static']),
        ...serves('    alias /srv/static/;'),
      },
      'one folder of the machine': {
        ...django(...settings),
        ...image(...start),
        ...both(['volumes: ["./data:/app/staticfiles"]'], ['./data:/usr/share/nginx/html/static']),
        ...serves('    root /usr/share/nginx/html;'),
      },
      'another URL': {
        ...django(...settings),
        ...image(...start),
        ...both([], ['./site:/srv']),
        ...nginx('server {', '  location /assets/ { alias /srv/; }', '}'),
      },
      'copied into the image of nginx': {
        ...django(...settings),
        ...image(...start),
        ...compose('web:', '  build: .', 'nginx:', '  build: proxy'),
        'proxy/Dockerfile':
          'FROM nginx:1.29\nCOPY nginx.conf /etc/nginx/conf.d/default.conf\nCOPY static /srv/static\n',
        'proxy/nginx.conf': 'server {\n  location /static/ { alias /srv/static/; }\n}\n',
      },
    },
    failing: {
      'a volume beside STATIC_ROOT': {
        ...django(...settings),
        ...image(...start),
        ...both(['volumes: ["static:/app/static"]'], ['static:/srv/static']),
        ...serves(`    ${found('files-served-elsewhere')}\n    alias /srv/static/;`),
      },
      'no volume at nginx': {
        ...django(...settings),
        ...image(...start),
        ...both(['volumes: ["static:/app/staticfiles"]'], []),
        ...serves(`    ${found('files-served-elsewhere')}\n    alias /srv/static/;`),
      },
      'uploads, in a path that is written out': {
        ...django("MEDIA_URL = '/media/'", "MEDIA_ROOT = '/data/media'"),
        ...image(...start),
        ...both(['volumes: ["media:/data"]'], ['media:/srv']),
        ...nginx(
          'server {',
          '  location /media/ {',
          `    ${found('files-served-elsewhere')}`,
          '    alias /srv/uploads/;',
          '  }',
          '}',
        ),
      },
    },
  },
  'deployment.static-hidden-by-mount': {
    passing: {
      'collected again when it starts': {
        ...django(...settings),
        ...collected,
        ...compose(
          'web:',
          '  build: .',
          '  command: sh -c "python manage.py collectstatic --noinput && gunicorn shop.wsgi"',
          '  volumes: ["static:/app/staticfiles"]',
        ),
      },
      'the code, for those who edit it': {
        ...django(...settings.slice(0, -1), "STATIC_ROOT = BASE_DIR / 'shop/static'"),
        ...collected,
        ...compose('web:', '  build: .', '  volumes: ["./shop:/app/shop"]'),
      },
      'a mount beside them': {
        ...django(...settings),
        ...collected,
        ...compose('web:', '  build: .', '  volumes: ["media:/app/media"]'),
      },
    },
    failing: {
      'a volume of Docker': {
        ...django(...settings),
        ...collected,
        ...compose(
          'web:',
          '  build: .',
          '  volumes:',
          `    ${found('static-hidden-by-mount')}`,
          '    - static:/app/staticfiles',
        ),
      },
      'a folder of the machine': {
        ...django(...settings),
        ...collected,
        ...compose(
          'web:',
          '  build: .',
          '  volumes:',
          `    ${found('static-hidden-by-mount')}`,
          '    - ./var:/app/staticfiles',
        ),
      },
    },
  },
}
