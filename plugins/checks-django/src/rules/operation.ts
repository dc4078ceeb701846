import { placeOfKey, placeOfText } from '@havn/checklist'
import { settingRule, type Fault } from '../setting-rule.ts'
import { entriesOf, hasApp, textsOf, valueAt } from '../values.ts'

export const passwordValidatorsMissing = settingRule({
  id: 'django.password-validators-missing',
  title: 'Any password will do',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Set AUTH_PASSWORD_VALIDATORS, at least to MinimumLengthValidator and CommonPasswordValidator.',
  references: ['https://docs.djangoproject.com/en/stable/topics/auth/passwords/#password-validation'],
  docs: {
    what: 'Finds projects with `django.contrib.auth` and no `AUTH_PASSWORD_VALIDATORS`.',
    why: 'Users choose 123456, and so does the administrator.',
    bad: "INSTALLED_APPS = ['django.contrib.auth']\nAUTH_PASSWORD_VALIDATORS = []\n",
    good: "INSTALLED_APPS = ['django.contrib.auth']\nAUTH_PASSWORD_VALIDATORS = [\n    {'NAME': 'django.contrib.auth.password_validation.MinimumLengthValidator'},\n]\n",
  },
  judge(project) {
    const setting = project.setting('AUTH_PASSWORD_VALIDATORS')
    const isEmpty = Array.isArray(setting?.value) && setting.value.length === 0
    return isEmpty && hasApp(project, 'django.contrib.auth')
      ? { setting, message: 'AUTH_PASSWORD_VALIDATORS is empty.' }
      : null
  },
})

export const passwordHasherWeak = settingRule({
  id: 'django.password-hasher-weak',
  title: 'Passwords are hashed by what is fast to guess',
  severity: 'error',
  confidence: 'certain',
  hint: 'Put PBKDF2PasswordHasher, Argon2PasswordHasher or ScryptPasswordHasher first; old hashes are renewed at login.',
  references: ['https://docs.djangoproject.com/en/stable/topics/auth/passwords/#how-django-stores-passwords'],
  docs: {
    what: 'Finds `PASSWORD_HASHERS` whose first is MD5, SHA-1 or crypt: new passwords are stored by it.',
    why: 'A copy of the database is a list of passwords some hours later. Such hashers are for quick tests.',
    bad: "PASSWORD_HASHERS = ['django.contrib.auth.hashers.MD5PasswordHasher']\n",
    good: "PASSWORD_HASHERS = [\n    'django.contrib.auth.hashers.PBKDF2PasswordHasher',\n    'django.contrib.auth.hashers.MD5PasswordHasher',\n]\n",
  },
  judge(project) {
    const setting = project.setting('PASSWORD_HASHERS')
    const [first] = textsOf(setting?.value)
    if (first === undefined || !/(?:MD5|SHA1|Crypt)PasswordHasher$/.test(first) || /BCrypt/.test(first))
      return null
    return {
      setting,
      place: placeOfText(setting!, first),
      message: `New passwords are stored by ${first.split('.').at(-1)}.`,
    }
  },
})

export const loggingSilent = settingRule({
  id: 'django.logging-silent',
  title: 'Errors are mailed, and printed nowhere',
  severity: 'warn',
  confidence: 'likely',
  hint: 'Set LOGGING with a StreamHandler for the root logger, at INFO.',
  references: ['https://docs.djangoproject.com/en/stable/ref/logging/#default-logging-configuration'],
  docs: {
    what: 'Finds `LOGGING` that leaves Django as it is: with `DEBUG` off its handlers mail to `ADMINS`, and that is all.',
    why: 'A view that fails answers 500, and no log says why.',
    bad: 'LOGGING = {}\n',
    good: "LOGGING = {\n    'version': 1,\n    'disable_existing_loggers': False,\n    'handlers': {'console': {'class': 'logging.StreamHandler'}},\n    'root': {'handlers': ['console'], 'level': 'INFO'},\n}\n",
  },
  judge(project) {
    const setting = project.setting('LOGGING')
    const config = project.setting('LOGGING_CONFIG')
    if (setting === null || (config !== null && config.value === null)) return null
    // A service that collects errors is told of them past the log.
    if (project.setting('SENTRY_DSN') !== null || project.setting('ROLLBAR') !== null) return null
    if (entriesOf(setting.value).length === 0) return { setting, message: 'LOGGING is empty.' }
    const handlers = entriesOf(valueAt(setting.value, 'handlers'))
    const isMail =
      handlers.length > 0 &&
      handlers.every(([, handler]) => /AdminEmailHandler|NullHandler/.test(String(valueAt(handler, 'class'))))
    return isMail ? { setting, message: 'All handlers of LOGGING mail, or drop what they get.' } : null
  },
})

export const loggingDebug = settingRule({
  id: 'django.logging-at-debug',
  title: 'The log is at DEBUG',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Set the level to INFO, or read it from a variable.',
  references: ['https://docs.djangoproject.com/en/stable/topics/logging/#loggers'],
  docs: {
    what: 'Finds loggers at level DEBUG: the root, `django`, and those below it.',
    why: 'Each template variable, and each query where DEBUG is on, is a line: the log hides what matters, and holds data of users.',
    bad: "LOGGING = {'version': 1, 'loggers': {'django': {'level': 'DEBUG'}}}\n",
    good: "LOGGING = {'version': 1, 'loggers': {'django': {'level': 'INFO'}}}\n",
  },
  judge(project) {
    const setting = project.setting('LOGGING')
    const loggers = [
      ['root', valueAt(setting?.value, 'root')] as const,
      ...entriesOf(valueAt(setting?.value, 'loggers')).map(
        ([name, logger]) => [`loggers.${name}`, logger] as const,
      ),
    ]
    return loggers.flatMap(([path, logger]): Fault[] => {
      const isDebug =
        valueAt(logger, 'level') === 'DEBUG' && /^(?:root|loggers\.(?:|root|django(?:\..*)?))$/.test(path)
      if (!isDebug) return []
      // The root has the empty name, too.
      const name = path === 'loggers.' ? 'root' : path
      return [{ setting, place: placeOfKey(setting!, `${path}.level`), message: `${name} is at DEBUG.` }]
    })
  },
})

/** What is for development, and what it opens. */
const DEVELOPMENT_APPS: Readonly<Record<string, string>> = {
  debug_toolbar: 'shows queries, settings and templates',
  silk: 'keeps requests with their bodies, and shows them',
  django_browser_reload: 'keeps a request open for each page',
  livereload: 'puts a script in each page',
  django_pdb: 'opens a debugger in the process',
  werkzeug_debugger_runserver: 'opens a Python prompt on errors',
}

export const developmentApps = settingRule({
  id: 'django.development-app',
  title: 'An app for development is installed',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Install it in the settings for development alone.',
  references: ['https://django-debug-toolbar.readthedocs.io/en/latest/installation.html'],
  docs: {
    what: 'Finds the debug toolbar, silk, browser-reload and their like in `INSTALLED_APPS`.',
    why: 'They slow down each request, and show what is not for visitors, by a mistake in one more setting.',
    bad: "INSTALLED_APPS = ['django.contrib.auth', 'debug_toolbar']\n",
    good: "INSTALLED_APPS = ['django.contrib.auth']\n",
  },
  judge(project) {
    const setting = project.setting('INSTALLED_APPS')
    return Object.entries(DEVELOPMENT_APPS).flatMap(([app, what]): Fault[] =>
      setting !== null && hasApp(project, app)
        ? [{ setting, place: placeOfText(setting, app), message: `${app} ${what}.` }]
        : [],
    )
  },
})

export const environmentFile = settingRule({
  id: 'django.environment-file',
  title: 'Settings read a .env file',
  severity: 'info',
  confidence: 'possible',
  hint: 'Give the process its variables, and read the file where it is for development alone.',
  references: ['https://12factor.net/config'],
  docs: {
    what: 'Finds `load_dotenv()` and `read_env()` in the settings that the deployment uses.',
    why: 'A file that was left in an image decides, with whatever secrets it held on somebody’s laptop.',
    bad: 'from dotenv import load_dotenv\n\nload_dotenv()\n',
    good: "import os\n\nDEBUG = os.environ.get('DEBUG') == '1'\n",
  },
  judge: (project) =>
    project.environmentFileCalls.map(({ name, place }) => ({
      place,
      message: `${name}() reads variables from a file.`,
    })),
})

export const silencedChecks = settingRule({
  id: 'django.security-check-silenced',
  title: "A check of Django's is silenced",
  severity: 'info',
  confidence: 'certain',
  hint: 'Take it away, or waive the finding with a reason and an end.',
  references: ['https://docs.djangoproject.com/en/stable/ref/settings/#silenced-system-checks'],
  docs: {
    what: 'Finds ids of security checks in `SILENCED_SYSTEM_CHECKS`: what they would say is not said here, either.',
    why: 'Nobody knows any more why, and whether it still holds.',
    bad: "SILENCED_SYSTEM_CHECKS = ['security.W008']\n",
    good: 'SILENCED_SYSTEM_CHECKS = []\n',
  },
  judge(project) {
    const setting = project.setting('SILENCED_SYSTEM_CHECKS')
    return textsOf(setting?.value)
      .filter((id) => id.startsWith('security.'))
      .map((id) => ({ setting, place: placeOfText(setting!, id), message: `${id} is silenced.` }))
  },
})
