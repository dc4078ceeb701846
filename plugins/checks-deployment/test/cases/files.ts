import type { RuleCases } from '@havn/checklist/testing'

export type Cases = Pick<RuleCases, 'passing' | 'failing'>

/** The smallest Django project with these lines in its settings. */
export function django(...lines: string[]) {
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

export function compose(...lines: string[]) {
  return { 'compose.yaml': ['services:', ...lines.map((line) => `  ${line}`), ''].join('\n') }
}

export const WEB = [
  'web:',
  '  image: shop:1',
  '  command: gunicorn shop.wsgi --bind 0.0.0.0:8000 --workers 2',
]

/** A Deployment of gunicorn; lines of its spec, and of its container. */
export function deployment(spec: readonly string[] = [], container: readonly string[] = []) {
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

export function nginx(...lines: string[]) {
  return { 'nginx.conf': [...lines, ''].join('\n') }
}

export const sqlite =
  "DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': '/data/db.sqlite3'}}"
export const hosts = ["ALLOWED_HOSTS = ['shop.test']", 'DEBUG = False']
export const csrf = "MIDDLEWARE = ['django.middleware.csrf.CsrfViewMiddleware']"
export const image = (...lines: string[]) => ({
  Dockerfile: ['FROM python:3.13-slim', ...lines, ''].join('\n'),
})
export const found = (rule: string) => `# finds: deployment.${rule}`
