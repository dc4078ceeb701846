import type { CaseFiles } from '@havn/checklist/testing'

export const SETTINGS = 'shop/settings.py'

/** What makes a folder a Django project. */
export const MANAGE = {
  'manage.py':
    "import os\n\nimport django\n\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')\n",
  'shop/__init__.py': '',
}

/** A project with these settings. */
export function project(...lines: string[]): CaseFiles {
  return { ...MANAGE, [SETTINGS]: lines.join('\n') + '\n' }
}

/** What Django needs to load a project with URLs and models. */
export const WHOLE = {
  ...MANAGE,
  [SETTINGS]: [
    'DEBUG = False',
    "SECRET_KEY = 'x'",
    "ROOT_URLCONF = 'shop.urls'",
    "DEFAULT_AUTO_FIELD = 'django.db.models.BigAutoField'",
    "INSTALLED_APPS = ['django.contrib.admin', 'django.contrib.auth', 'django.contrib.contenttypes',",
    "    'django.contrib.sessions', 'django.contrib.messages', 'shop']",
    "MIDDLEWARE = ['django.contrib.sessions.middleware.SessionMiddleware',",
    "    'django.contrib.auth.middleware.AuthenticationMiddleware', 'django.contrib.messages.middleware.MessageMiddleware']",
    "TEMPLATES = [{'BACKEND': 'django.template.backends.django.DjangoTemplates', 'OPTIONS': {'context_processors': [",
    "    'django.template.context_processors.request', 'django.contrib.auth.context_processors.auth',",
    "    'django.contrib.messages.context_processors.messages']}}]",
    "DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': 'db.sqlite3'}}",
    '',
  ].join('\n'),
  'shop/urls.py': 'urlpatterns = []\n',
  'shop/migrations/__init__.py': '',
  'shop/migrations/0001_initial.py': [
    'from django.db import migrations, models',
    '',
    'class Migration(migrations.Migration):',
    '    operations = [migrations.CreateModel("Order", [',
    '        ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),',
    '        ("total", models.IntegerField()),',
    '    ])]',
    '',
  ].join('\n'),
}
