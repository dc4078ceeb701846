import type { RuleCases } from '@havn/checklist/testing'
import { MANAGE, project, SETTINGS, WHOLE } from './projects.ts'

export interface Cases extends Partial<Pick<RuleCases, 'passing' | 'failing' | 'example' | 'beside'>> {
  /** The project is loaded by a real Django; its text alone is read otherwise. */
  isBooted?: boolean
}

const NO_EXAMPLE: Cases = { example: undefined }

/** More than the examples of the docs, by rule. */
export const cases: Readonly<Record<string, Cases>> = {
  'django.debug-on': {
    passing: {
      'a variable that is off where it is missing': project(
        'import os',
        'DEBUG = os.environ.get("DEBUG") == "1"',
      ),
      'what the text does not tell': project('DEBUG = read_from_somewhere()'),
      'off in the branch that counts': project(
        'PROD = True',
        'if PROD:',
        '    DEBUG = False',
        'else:',
        '    DEBUG = True',
      ),
      'Django says nothing, and neither do we': project(
        'SILENCED_SYSTEM_CHECKS = ["security.W018"]',
        'DEBUG = True',
      ),
    },
    failing: {
      'the last one counts': project('DEBUG = False', '# finds: django.debug-on', 'DEBUG = True'),
      'a text that is true': project(
        'import os',
        '# finds: django.debug-on',
        'DEBUG = os.getenv("DEBUG", "False")',
      ),
      'in a module that it takes all from': {
        ...MANAGE,
        [SETTINGS]: 'from .base import *\n',
        'shop/base.py': '# finds: django.debug-on\nDEBUG = 1\n',
      },
    },
  },
  'django.secret-key-weak': {
    passing: { 'long and mixed': project(`SECRET_KEY = '${'p9#v2k!x7q'.repeat(5)}'`) },
    failing: {
      'four different characters': project(
        '# finds: django.secret-key-weak',
        `SECRET_KEY = '${'abcd'.repeat(20)}'`,
      ),
      empty: project('# finds: django.secret-key-weak', "SECRET_KEY = ''"),
    },
  },
  'django.secret-key-in-source': {
    passing: {
      'of startproject, which another rule tells of': project("SECRET_KEY = 'django-insecure-x'"),
      'no default': project('import os', 'SECRET_KEY = os.environ["SECRET_KEY"]'),
    },
    failing: {
      'a default': project(
        'import os',
        '# finds: django.secret-key-in-source',
        `SECRET_KEY = os.environ.get("SECRET_KEY", "${'p9#v2k!x7q'.repeat(5)}")`,
      ),
    },
  },
  'django.allowed-hosts-empty': {
    passing: { 'made of what the text does not tell': project('ALLOWED_HOSTS = hosts()') },
  },
  'django.allowed-hosts-any': {
    passing: { 'all of one domain': project('ALLOWED_HOSTS = [".example.com"]') },
    failing: {
      'one of several': project(
        'ALLOWED_HOSTS = [',
        '    "a",',
        '    # finds: django.allowed-hosts-any',
        '    "*",',
        ']',
      ),
      'added later': project(
        'ALLOWED_HOSTS = []',
        '# finds: django.allowed-hosts-any',
        'ALLOWED_HOSTS += ["*"]',
      ),
    },
  },
  'django.csrf-origin-scheme': {
    failing: {
      'a pattern': project('# finds: django.csrf-origin-scheme', 'CSRF_TRUSTED_ORIGINS = ["*.example.com"]'),
    },
  },
  'django.cors-any-origin': {
    passing: {
      'a variable that is missing': project('CORS_ALLOW_ALL_ORIGINS = env.bool("CORS", default=False)'),
    },
    failing: {
      'by its old name': project('# finds: django.cors-any-origin', 'CORS_ORIGIN_ALLOW_ALL = True'),
    },
  },
  'django.security-middleware-missing': {
    passing: { "one's own": project('MIDDLEWARE = ["shop.middleware.SecurityMiddleware"]') },
  },
  'django.security-middleware-late': {
    passing: {
      'behind what is not of Django': project(
        'MIDDLEWARE = ["corsheaders.middleware.CorsMiddleware", "django.middleware.security.SecurityMiddleware"]',
      ),
    },
  },
  'django.hsts-missing': {
    failing: {
      'an hour': project(
        '# finds: django.hsts-missing',
        'SECURE_HSTS_SECONDS = 60 * 60',
        'MIDDLEWARE = ["django.middleware.security.SecurityMiddleware"]',
      ),
    },
  },
  'django.proxy-header-name': {
    passing: { 'the empty one': project('SECURE_PROXY_SSL_HEADER = None') },
    failing: {
      'no pair': project(
        '# finds: django.proxy-header-name',
        'SECURE_PROXY_SSL_HEADER = "HTTP_X_FORWARDED_PROTO"',
      ),
    },
  },
  'django.csrf-middleware-missing': {
    passing: { 'one that extends it': project('MIDDLEWARE = ["shop.csrf.ShopCsrfMiddleware"]') },
  },
  'django.csrf-cookie-insecure': {
    passing: {
      'the token is in the session': project(
        'CSRF_USE_SESSIONS = True',
        'MIDDLEWARE = ["django.middleware.csrf.CsrfViewMiddleware"]',
      ),
    },
  },
  'django.frame-options-missing': {
    passing: {
      'a policy says it': project('MIDDLEWARE = []', "SECURE_CSP = {'frame-ancestors': [\"'none'\"]}"),
    },
  },
  'django.frame-options-loose': {
    failing: {
      'what browsers do not know': project(
        '# finds: django.frame-options-loose',
        'X_FRAME_OPTIONS = "ALLOWALL"',
        'MIDDLEWARE = ["django.middleware.clickjacking.XFrameOptionsMiddleware"]',
      ),
    },
  },
  'django.referrer-policy': {
    passing: {
      'several, by commas': project(
        'SECURE_REFERRER_POLICY = "no-referrer, same-origin"',
        'MIDDLEWARE = ["django.middleware.security.SecurityMiddleware"]',
      ),
    },
    failing: {
      unknown: project(
        '# finds: django.referrer-policy',
        'SECURE_REFERRER_POLICY = "none"',
        'MIDDLEWARE = ["django.middleware.security.SecurityMiddleware"]',
      ),
    },
  },
  'django.csp-unsafe': {
    passing: {
      'beside a nonce, which browsers heed': project(
        'MIDDLEWARE = ["csp.middleware.CSPMiddleware"]',
        'CSP_SCRIPT_SRC = ["\'unsafe-inline\'", "\'nonce-x\'"]',
      ),
    },
    failing: {
      'of django-csp 4': project(
        'MIDDLEWARE = ["csp.middleware.CSPMiddleware"]',
        'CONTENT_SECURITY_POLICY = {',
        '    "DIRECTIVES": {',
        '        # finds: django.csp-unsafe',
        '        "default-src": ["*"],',
        '    },',
        '}',
      ),
    },
  },
  'django.csp-invalid': {
    failing: { 'a text': project('# finds: django.csp-invalid', 'SECURE_CSP = "default-src \'self\'"') },
  },
  'django.static-root-missing': {
    passing: {
      'at a service': project(
        "INSTALLED_APPS = ['django.contrib.staticfiles']",
        "STORAGES = {'staticfiles': {'BACKEND': 'storages.backends.s3.S3Storage'}}",
      ),
      'without the app': project('A = 1'),
    },
  },
  'django.connection-age-async': {
    passing: {
      'both entries': project(
        "ASGI_APPLICATION = 'a'",
        "WSGI_APPLICATION = 'b'",
        "DATABASES = {'default': {'CONN_MAX_AGE': 60}}",
      ),
    },
    failing: {
      'set below': project(
        "INSTALLED_APPS = ['channels']",
        "DATABASES = {'default': {}}",
        "DATABASES['x'] = 1",
        '# finds: django.connection-age-async',
        "DATABASES = {'default': {'CONN_MAX_AGE': None}}",
      ),
    },
  },
  'django.database-without-tls': {
    passing: {
      'a service beside it': project(
        "DATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql', 'HOST': 'db'}}",
      ),
    },
  },
  'django.logging-silent': {
    passing: { 'a service hears of errors': project('SENTRY_DSN = "https://x@y.invalid/1"') },
    failing: {
      'mail alone': project(
        '# finds: django.logging-silent',
        "LOGGING = {'handlers': {'mail': {'class': 'django.utils.log.AdminEmailHandler'}}}",
      ),
    },
  },
  'django.email-goes-nowhere': {
    failing: {
      'one of several': project(
        'MAILERS = {',
        '    "default": {"BACKEND": "django.core.mail.backends.smtp.EmailBackend"},',
        '    # finds: django.email-goes-nowhere',
        '    "news": {"BACKEND": "django.core.mail.backends.dummy.EmailBackend"},',
        '}',
      ),
    },
  },
  'django.development-app': {
    failing: {
      'its configuration, appended': project(
        'INSTALLED_APPS = []',
        '# finds: django.development-app',
        'INSTALLED_APPS.append("debug_toolbar")',
      ),
    },
  },
  'django.end-of-life': NO_EXAMPLE,
  'django.python-end-of-life': NO_EXAMPLE,
  'django.not-booted': { isBooted: true },
  'django.development-settings': {
    example: 'manage.py',
    beside: { 'shop/settings/__init__.py': 'A = 1\n', 'shop/settings/dev.py': 'A = 1\n' },
    passing: {
      'wsgi.py names others': {
        'manage.py': 'import django\nos.environ["DJANGO_SETTINGS_MODULE"] = "shop.settings.dev"\n',
        'shop/wsgi.py': 'import django\nos.environ["DJANGO_SETTINGS_MODULE"] = "shop.settings.prod"\n',
        'shop/settings/prod.py': 'A = 1\n',
      },
    },
  },
  'django.does-not-boot': {
    isBooted: true,
    beside: { ...MANAGE, 'shop/urls.py': 'urlpatterns = []\n' },
    passing: { 'a package that is missing here': project('import no_such_package_here') },
    failing: {
      'a URL configuration': { ...WHOLE, 'shop/urls.py': '# finds: django.does-not-boot\n1 / 0\n' },
      'a syntax error': project('A = 1', '# finds: django.does-not-boot', 'B = = 2'),
      'an exit': project('import sys', '# finds: django.does-not-boot', 'sys.exit(1)'),
    },
  },
  'django.migrations-missing': { isBooted: true, example: 'shop/models.py', beside: WHOLE },
  'django.admin-path': {
    isBooted: true,
    example: 'shop/urls.py',
    beside: { ...WHOLE, 'shop/migrations/0001_initial.py': '' },
  },
  'django.files-served-by-django': {
    isBooted: true,
    example: 'shop/urls.py',
    beside: WHOLE,
    passing: {
      'for DEBUG alone': {
        ...WHOLE,
        [SETTINGS]: WHOLE[SETTINGS].replace('DEBUG = False', 'DEBUG = True'),
        'shop/urls.py':
          "from django.conf.urls.static import static\nurlpatterns = static('/media/', document_root='x')\n",
      },
    },
  },
  'django.system-check': {
    isBooted: true,
    example: 'shop/models.py',
    beside: WHOLE,
    failing: {
      'a check of the project': {
        ...WHOLE,
        'shop/models.py': [
          'from django.core import checks',
          'from django.db import models',
          '# finds: django.system-check',
          'class Order(models.Model):',
          '    total = models.IntegerField()',
          '    @classmethod',
          '    def check(cls, **kwargs):',
          '        return [checks.Warning("Look at it.", obj=cls, id="shop.W001")]',
          '',
        ].join('\n'),
      },
    },
  },
}
